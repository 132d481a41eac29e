"""Signs of life of worker processes, for /readyz, metrics and the admission of frames.

A worker counts from the moment its models are loaded until it stops or falls silent.
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
    """Record a sign of life of `worker`, which serves `queue`, at the time `at`; drop workers that fell silent long ago."""
    key = keyspace.workers(queue)
    pipe = redis.pipeline(transaction=False)
    pipe.zadd(key, {worker: at})
    pipe.zremrangebyscore(key, "-inf", at - keyspace.PRESENCE_TTL)
    pipe.expire(key, keyspace.PRESENCE_TTL)
    pipe.execute()


def leave(redis: Redis, worker: str, queue: str = FRAMES) -> None:
    """Drop `worker`, which takes no more messages of `queue`."""
    redis.zrem(keyspace.workers(queue), worker)


def seen_lately(redis: Redis, at: float | None = None, queue: str = FRAMES) -> int:
    """How many processes of `queue` gave a sign of life in the PRESENCE_LATELY seconds before `at` (default: now)."""
    at = now() if at is None else at
    return redis.zcount(keyspace.workers(queue), at - keyspace.PRESENCE_LATELY, "+inf")


class Heart(threading.Thread):
    """A thread that gives signs of life of this process until it is stopped."""

    def __init__(self, redis: Redis, queues: Sequence[str] = (FRAMES,)) -> None:
        super().__init__(name="heart", daemon=True)
        #: Host and process id are for people who read the key; the random part makes the name unique.
        self.worker = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._redis = redis
        self._queues = queues
        self._stopped = threading.Event()

    def run(self) -> None:
        """Give a sign of life every PRESENCE_EVERY seconds."""
        while True:
            try:
                for queue in self._queues:
                    beat(self._redis, self.worker, now(), queue)
            except RedisError as error:
                # Without Redis no frame can be worked on either; the next beat tries again.
                log.warning("presence.not_told", error=str(error))
            if self._stopped.wait(keyspace.PRESENCE_EVERY):
                return

    def stop(self) -> None:
        """Stop the signs of life, and drop this worker at once."""
        self._stopped.set()
        self.join()
        try:
            for queue in self._queues:
                leave(self._redis, self.worker, queue)
        except RedisError as error:
            log.warning("presence.not_told", error=str(error))
