"""Out of Redis, for /metrics: the totals of all processes, in Prometheus' form."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import cast

import msgspec
from prometheus_client import Metric
from prometheus_client.utils import floatToGoString
from redis import Redis

from shared.redis import keyspace
from shared.telemetry.metrics.table import TABLE, Declared

#: By labels, in the table's order.
Gauges = Mapping[str, Mapping[tuple[str, ...], float]]
_Labels = tuple[tuple[str, str], ...]


class Totals:
    """What `generate_latest` asks for metrics."""

    def __init__(self, redis: Redis, gauges: Gauges) -> None:
        """gauges: by the metric's name, what was looked up just now."""
        self._redis = redis
        self._gauges = gauges

    def collect(self) -> Iterator[Metric]:
        """Every metric of the table, also one that nobody has counted yet."""
        counted = self._counted()
        for declared in TABLE.values():
            # prometheus_client adds the ending of a counter's name by itself.
            metric = Metric(
                declared.name.removesuffix("_total"), f"{declared.help} Unit: {declared.unit}.", declared.kind
            )
            if declared.kind == "gauge":
                for labels, value in self._gauges.get(declared.name, {}).items():
                    metric.add_sample(declared.name, dict(zip(declared.labels, labels, strict=True)), value)
            elif declared.kind == "counter":
                for key, value in sorted(counted[declared.name].items()):
                    metric.add_sample(declared.name, dict(key), value)
            else:
                _add_histogram(metric, declared, counted)
            yield metric

    def _counted(self) -> dict[str, dict[_Labels, float]]:
        """By the sample's name, by its labels."""
        counted: dict[str, dict[_Labels, float]] = defaultdict(dict)
        totals = cast("dict[bytes, bytes]", self._redis.hgetall(keyspace.METRICS))
        for key, value in totals.items():
            name, labels = msgspec.json.decode(key, type=tuple[str, dict[str, str]])
            counted[name][tuple(sorted(labels.items()))] = float(value)
        return counted


def _add_histogram(metric: Metric, declared: Declared, counted: dict[str, dict[_Labels, float]]) -> None:
    """Its buckets, also those into which nothing has fallen, its sum and its count.

    Buckets that another version of the code had are left out: beside ours they would not add up.
    """
    buckets = counted[f"{declared.name}_bucket"]
    for labels, count in sorted(counted[f"{declared.name}_count"].items()):
        for le in _bounds(declared.buckets):
            value = buckets.get(tuple(sorted((*labels, ("le", le)))), 0.0)
            metric.add_sample(f"{declared.name}_bucket", {**dict(labels), "le": le}, value)
        metric.add_sample(f"{declared.name}_count", dict(labels), count)
        metric.add_sample(f"{declared.name}_sum", dict(labels), counted[f"{declared.name}_sum"].get(labels, 0.0))


def _bounds(buckets: Iterable[float]) -> list[str]:
    return [floatToGoString(bound) for bound in (*buckets, math.inf)]  # type: ignore[no-untyped-call]
