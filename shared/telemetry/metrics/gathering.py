"""Reads the totals of all processes from Redis, and converts them to Prometheus' metrics for /metrics."""

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

#: Values of gauges by the metric's name, then by its labels in the table's order.
Gauges = Mapping[str, Mapping[tuple[str, ...], float]]
_Labels = tuple[tuple[str, str], ...]


class Totals:
    """A collector for prometheus_client's `generate_latest`."""

    def __init__(self, redis: Redis, gauges: Gauges) -> None:
        """gauges: the current values of the gauges."""
        self._redis = redis
        self._gauges = gauges

    def collect(self) -> Iterator[Metric]:
        """Every metric of the table, even if nothing has been counted yet. Raises RedisError."""
        counted = self._counted()
        for declared in TABLE.values():
            # prometheus_client appends `_total` to a counter's name.
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
        """The totals by the sample's name, then by its labels."""
        counted: dict[str, dict[_Labels, float]] = defaultdict(dict)
        totals = cast("dict[bytes, bytes]", self._redis.hgetall(keyspace.METRICS))
        for key, value in totals.items():
            name, labels = msgspec.json.decode(key, type=tuple[str, dict[str, str]])
            counted[name][tuple(sorted(labels.items()))] = float(value)
        return counted


def _add_histogram(metric: Metric, declared: Declared, counted: dict[str, dict[_Labels, float]]) -> None:
    """Add a histogram's buckets (empty ones too), sum and count.

    Buckets of another version of the code are left out, since they do not add up with ours.
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
