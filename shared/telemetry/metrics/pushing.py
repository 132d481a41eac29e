"""From this process into Redis: what it has counted since the last time is added to the totals of all processes.

Differences, not each process's own sums: a process that ends takes nothing with it, so totals only grow, which is what
Prometheus takes a counter for. A push that failed is sent again as it was and counts once (see `_ADD`); a process that is
killed loses what it counted since its last push.
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

#: Add up, once for each push. KEYS: the totals, the mark of this process's latest push. ARGV: the push's number, seconds to
#: live of both, then fields and values.
_ADD = """
if redis.call("get", KEYS[2]) == ARGV[1] then return 0 end
for i = 4, #ARGV, 2 do redis.call("hincrbyfloat", KEYS[1], ARGV[i], ARGV[i + 1]) end
redis.call("expire", KEYS[1], ARGV[2])
redis.call("set", KEYS[2], ARGV[1], "ex", ARGV[3])
return 1
"""


def field(name: str, labels: dict[str, str]) -> bytes:
    """What a sample is called among the totals."""
    return msgspec.json.encode([name, dict(sorted(labels.items()))])


def started(pusher: Pusher) -> Pusher:
    """The same, at work."""
    pusher.start()
    return pusher


class Pusher(threading.Thread):
    """Pushes this process's counts until it is stopped. To be made after a fork."""

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
        """Push now and then."""
        while not self._stopped.wait(self._every):
            self.push()

    def close(self) -> None:
        """Push what is left, and no more."""
        self._stopped.set()
        if self.is_alive():
            self.join()
        if self.push():  # what was waiting to be sent again,
            self.push()  # and what came since
        self._redis.close()

    def push(self) -> bool:
        """Add what was counted since the last push to the totals; False if Redis is away, and it is kept for the next."""
        with self._one:
            if not self._pending:
                self._pending = self._new()
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

    def _new(self) -> list[bytes | float]:
        """Fields and differences."""
        new: list[bytes | float] = []
        for metric in self._registry.collect():
            for sample in metric.samples:
                if sample.name.endswith("_created"):
                    continue  # when this process first counted it: means nothing in a sum
                name = field(sample.name, sample.labels)
                more = sample.value - self._counted.get(name, 0.0)
                if more:
                    self._counted[name] = sample.value
                    new += [name, more]
        return new
