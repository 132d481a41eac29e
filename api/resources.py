"""What the web process holds open: rows, Redis, the queue. Made when first used, hence after the fork, one of each."""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable
from threading import Lock
from typing import TypeVar, cast

from dramatiq import Broker
from flask import Flask, current_app
from redis import Redis
from sqlalchemy import Engine

from api.alive import Alive
from api.gate import Gate
from shared.db import DATABASE_TIMEOUT, make_engine
from shared.handoff.endings import Endings
from shared.queue.broker import make_broker
from shared.redis.client import make_redis
from shared.redis.timekeeping import Keeping, keep_time, now
from shared.settings import Settings
from shared.telemetry import tracing
from shared.telemetry.metrics.pushing import Pusher, started

_T = TypeVar("_T")

#: Threads of a process for each connection to the database: a frame needs its rows for a moment, its answer for longer.
THREADS_PER_CONNECTION = 4

#: Seconds after a frame's deadline by which Redis must have said that there is no answer.
AFTER_DEADLINE = 0.5


class Resources:
    """The engine, Redis and the broker of one app in one process."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.alive = Alive()
        self.gate = Gate(settings.frames_per_worker)
        self._lock = Lock()
        self._made: dict[str, object] = {}
        self._pid: int | None = None

    @property
    def engine(self) -> Engine:
        """The database."""
        threads = self.settings.web_threads
        return self._once(
            "engine",
            lambda: make_engine(
                self.settings.database_url,
                pool_size=max(4, threads // THREADS_PER_CONNECTION),
                patience=DATABASE_TIMEOUT,
            ),
        )

    @property
    def redis(self) -> Redis:
        """Redis for what it does at once."""
        return self._once("redis", lambda: make_redis(self.settings.redis_url))

    @property
    def endings(self) -> Endings:
        """What follows a session's end, for each unit of work that may end one."""
        return Endings(self.redis, self.alive.forget)

    @property
    def waiting(self) -> Redis:
        """Redis for answers: it may be asked to block for a frame's deadline.

        Apart from the other, so that a hung Redis is noticed within the patience of a command that does not block.
        """
        deadline = self.settings.frame_deadline
        return self._once(
            "waiting", lambda: make_redis(self.settings.redis_url, blocks_for=deadline, patience=AFTER_DEADLINE)
        )

    def now(self) -> float:
        """The service's time, see `shared.redis.timekeeping`; kept from the first call on."""
        redis = self.redis  # before the lock of `_once` is taken for the other
        self._once("time", lambda: keep_time(redis))
        return now()

    @property
    def broker(self) -> Broker:
        """The queue."""
        return self._once("broker", lambda: make_broker(self.settings, tracing.middleware(self.settings, "web")))

    def start_counting(self) -> None:
        """Have what this process counts pushed into Redis from now on; called again it does nothing."""
        self._once("pusher", lambda: started(Pusher(make_redis(self.settings.redis_url))))

    def close(self) -> None:
        """Close what this process has made; what is used afterwards is made anew."""
        with self._lock:
            made, self._made = self._made, {}
            if self._pid != os.getpid():
                return  # a parent's: not ours to close
        for resource in reversed(made.values()):  # what was made later may need what was made before
            resource.dispose() if isinstance(resource, Engine) else cast(
                "Redis | Broker | Keeping | Pusher", resource
            ).close()

    def _once(self, name: str, make: Callable[[], _T]) -> _T:
        if (made := self._made.get(name)) is not None and self._pid == os.getpid():
            return cast("_T", made)
        with self._lock:
            if self._pid != os.getpid():
                # Forked since: connections of the parent must not be shared, nor closed from here.
                self._made, self._pid = {}, os.getpid()
                atexit.register(self.close)
            if name not in self._made:
                self._made[name] = make()
            return cast("_T", self._made[name])


def resources() -> Resources:
    """The resources of the app that handles this request."""
    return resources_of(current_app)


def resources_of(app: Flask) -> Resources:
    """The resources of an app."""
    return cast("Resources", app.extensions["resources"])
