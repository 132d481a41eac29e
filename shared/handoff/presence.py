"""Which worker processes have given a sign of life lately: what /readyz wants to know.

A worker counts from the moment it can take frames (its models are loaded) until it stops or falls silent.
"""

from __future__ import annotations

import os
import socket
import threading
import uuid
from collections.abc import Sequence

import structlog
from redis import Redis
from redis.exceptions import RedisError

from shared.queue.messages import FRAMES
from shared.redis import keyspace
from shared.redis.timekeeping import now

log = structlog.get_logger(__name__)


def beat(redis: Redis, worker: str, at: float, queue: str = FRAMES) -> None:
    """Give a sign of life for `worker`, which serves `queue`; those that have been silent for long are forgotten."""
    key = keyspace.workers(queue)
    pipe = redis.pipeline(transaction=False)
    pipe.zadd(key, {worker: at})
    pipe.zremrangebyscore(key, "-inf", at - keyspace.PRESENCE_TTL)
    pipe.expire(key, keyspace.PRESENCE_TTL)
    pipe.execute()


def leave(redis: Redis, worker: str, queue: str = FRAMES) -> None:
    """`worker` takes no more messages of `queue`."""
    redis.zrem(keyspace.workers(queue), worker)


def seen_lately(redis: Redis, at: float | None = None, queue: str = FRAMES) -> int:
    """How many processes serving `queue` have given a sign of life in the PRESENCE_LATELY seconds before `at` (now)."""
    at = now() if at is None else at
    return redis.zcount(keyspace.workers(queue), at - keyspace.PRESENCE_LATELY, "+inf")


class Heart(threading.Thread):
    """Gives signs of life for this process until it is stopped."""

    def __init__(self, redis: Redis, queues: Sequence[str] = (FRAMES,)) -> None:
        super().__init__(name="heart", daemon=True)
        #: Host and process are for people who look; the random part is what makes it the only one.
        self.worker = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._redis = redis
        self._queues = queues
        self._stopped = threading.Event()

    def run(self) -> None:
        """Beat."""
        while True:
            try:
                for queue in self._queues:
                    beat(self._redis, self.worker, now(), queue)
            except RedisError as error:
                # Without Redis there is nobody to tell, and no frame to be worked on either.
                log.warning("presence.not_told", error=str(error))
            if self._stopped.wait(keyspace.PRESENCE_EVERY):
                return

    def stop(self) -> None:
        """Fall silent, and say so."""
        self._stopped.set()
        self.join()
        try:
            for queue in self._queues:
                leave(self._redis, self.worker, queue)
        except RedisError as error:
            log.warning("presence.not_told", error=str(error))
