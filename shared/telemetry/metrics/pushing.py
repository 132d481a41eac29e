"""Pushes this process's counts to Redis, where they are added to the totals of all processes.

A push holds the differences since the last one, so that totals only grow, as Prometheus expects of counters, even when a
process ends. A failed push is repeated unchanged and counts once (see `_ADD`); a process that is killed loses what it has
counted since its last push. docs/adr/0005 gives the reasons.
"""

from __future__ import annotations

import threading
import uuid

import msgspec
import structlog
from prometheus_client import CollectorRegistry
from redis import Redis
from redis.exceptions import RedisError

from shared.redis import keyspace
from shared.telemetry.metrics.table import REGISTRY

log = structlog.get_logger(__name__)

#: Seconds between two pushes: below any usual scrape interval.
EVERY = 5.0

#: A Lua script that adds a push to the totals, once. KEYS: the totals, the number of this process's latest push. ARGV: the
#: push's number, the times to live of both keys in seconds, then fields and values.
_ADD = """
if redis.call("get", KEYS[2]) == ARGV[1] then return 0 end
for i = 4, #ARGV, 2 do redis.call("hincrbyfloat", KEYS[1], ARGV[i], ARGV[i + 1]) end
redis.call("expire", KEYS[1], ARGV[2])
redis.call("set", KEYS[2], ARGV[1], "ex", ARGV[3])
return 1
"""


def field(name: str, labels: dict[str, str]) -> bytes:
    """The field of a sample in the hash of totals."""
    return msgspec.json.encode([name, dict(sorted(labels.items()))])


def started(pusher: Pusher) -> Pusher:
    """Start a pusher, and return it."""
    pusher.start()
    return pusher


class Pusher(threading.Thread):
    """A thread that pushes this process's counts every few seconds. To be created after a fork."""

    def __init__(self, redis: Redis, registry: CollectorRegistry = REGISTRY, every: float = EVERY) -> None:
        super().__init__(name="metrics", daemon=True)
        self._redis = redis
        self._registry = registry
        self._every = every
        self._mark = keyspace.pushed(uuid.uuid4().hex)
        self._number = 0
        self._counted: dict[bytes, float] = {}
        self._pending: list[bytes | float] = []
        self._stopped = threading.Event()
        self._one = threading.Lock()

    def run(self) -> None:
        """Push until `close` is called."""
        while not self._stopped.wait(self._every):
            self.push()

    def close(self) -> None:
        """Push the remaining counts, stop, and close the connection to Redis."""
        self._stopped.set()
        if self.is_alive():
            self.join()
        if self.push():  # a push that failed before, if any,
            self.push()  # and the counts since then
        self._redis.close()

    def push(self) -> bool:
        """Add the counts since the last push to the totals; False if Redis is unavailable, and the push will be repeated."""
        with self._one:
            if not self._pending:
                self._pending = self._differences()
                self._number += 1
            if self._pending:
                keys = (keyspace.METRICS, self._mark)
                ttls = (keyspace.METRICS_TTL, keyspace.PUSHED_TTL)
                try:
                    self._redis.eval(_ADD, 2, *keys, self._number, *ttls, *self._pending)
                except RedisError as error:
                    log.warning("metrics.not_pushed", error=str(error))
                    return False
                self._pending = []
            return True

    def _differences(self) -> list[bytes | float]:
        """Fields and differences since the last push, in turn."""
        differences: list[bytes | float] = []
        for metric in self._registry.collect():
            for sample in metric.samples:
                if sample.name.endswith("_created"):
                    continue  # the time of a process's first count cannot be summed
                name = field(sample.name, sample.labels)
                difference = sample.value - self._counted.get(name, 0.0)
                if difference:
                    self._counted[name] = sample.value
                    differences += [name, difference]
        return differences
