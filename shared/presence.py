"""Which worker processes have given a sign of life lately: what /readyz wants to know.

A worker counts from the moment it can take frames (its models are loaded) until it stops or falls silent.
"""

from __future__ import annotations

import os
import socket
import threading
import time
import uuid

import structlog
from redis import Redis
from redis.exceptions import RedisError

from shared import keyspace

log = structlog.get_logger(__name__)


def beat(redis: Redis, worker: str, at: float) -> None:
    """Give a sign of life for `worker`; those that have been silent for long are forgotten."""
    pipe = redis.pipeline(transaction=False)
    pipe.zadd(keyspace.WORKERS, {worker: at})
    pipe.zremrangebyscore(keyspace.WORKERS, "-inf", at - keyspace.PRESENCE_TTL)
    pipe.expire(keyspace.WORKERS, keyspace.PRESENCE_TTL)
    pipe.execute()


def leave(redis: Redis, worker: str) -> None:
    """`worker` takes no more frames."""
    redis.zrem(keyspace.WORKERS, worker)


def seen_lately(redis: Redis, at: float | None = None) -> int:
    """How many worker processes have given a sign of life in the PRESENCE_LATELY seconds before `at` (default: now)."""
    at = time.time() if at is None else at
    return redis.zcount(keyspace.WORKERS, at - keyspace.PRESENCE_LATELY, "+inf")


class Heart(threading.Thread):
    """Gives signs of life for this process until it is stopped."""

    def __init__(self, redis: Redis) -> None:
        super().__init__(name="heart", daemon=True)
        #: Host and process are for people who look; the random part is what makes it the only one.
        self.worker = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._redis = redis
        self._stopped = threading.Event()

    def run(self) -> None:
        """Beat."""
        while True:
            try:
                beat(self._redis, self.worker, time.time())
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
            leave(self._redis, self.worker)
        except RedisError as error:
            log.warning("presence.not_told", error=str(error))
