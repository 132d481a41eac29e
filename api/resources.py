"""The connections of the web process: database, Redis and queue. Each is made when first used, and so after the fork."""

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

from api.gate import Gate
from api.readiness import Readiness
from api.session_cache import SessionCache
from shared.db import DATABASE_TIMEOUT, make_engine
from shared.handoff.clean_up import Endings
from shared.queue.broker import make_broker
from shared.redis.client import make_redis
from shared.redis.timekeeping import Keeping, keep_time, now
from shared.settings import Settings
from shared.telemetry import tracing
from shared.telemetry.metrics.pushing import Pusher, started

_T = TypeVar("_T")

#: Threads for each connection to the database: a frame needs its row for a moment, and waits for its answer much longer.
THREADS_PER_CONNECTION = 4

#: Seconds after a frame's deadline within which Redis must reply that there is no answer.
AFTER_DEADLINE = 0.5


class Resources:
    """The connections, and the in-process memory, of one app in one process."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.session_cache = SessionCache()
        self.gate = Gate(settings.frames_per_worker)
        self.readiness = Readiness()
        self._lock = Lock()
        self._made: dict[str, object] = {}
        self._pid: int | None = None

    @property
    def engine(self) -> Engine:
        """The database engine."""
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
        """Redis for commands that do not block."""
        return self._once("redis", lambda: make_redis(self.settings.redis_url))

    @property
    def endings(self) -> Endings:
        """What follows a session's end, for each unit of work that may end one."""
        return Endings(self.redis, self.session_cache.forget)

    @property
    def waiting(self) -> Redis:
        """Redis for answers: its commands may block for a frame's deadline.

        Apart from `redis`, whose shorter timeout notices a hung Redis sooner.
        """
        deadline = self.settings.frame_deadline
        return self._once(
            "waiting", lambda: make_redis(self.settings.redis_url, blocks_for=deadline, patience=AFTER_DEADLINE)
        )

    def now(self) -> float:
        """The service's time in seconds since the epoch (`shared.redis.timekeeping`), kept from the first call on."""
        redis = self.redis  # before `_once` takes its lock for "time"
        self._once("time", lambda: keep_time(redis))
        return now()

    @property
    def broker(self) -> Broker:
        """The broker of the queue."""
        return self._once("broker", lambda: make_broker(self.settings, tracing.middleware(self.settings, "web")))

    def start_counting(self) -> None:
        """Push the counts of this process into Redis from now on; further calls do nothing."""
        self._once("pusher", lambda: started(Pusher(make_redis(self.settings.redis_url))))

    def close(self) -> None:
        """Close the connections of this process; using them afterwards makes new ones."""
        with self._lock:
            made, self._made = self._made, {}
            if self._pid != os.getpid():
                return  # the parent's connections
        for resource in reversed(made.values()):  # later resources may need earlier ones
            resource.dispose() if isinstance(resource, Engine) else cast(
                "Redis | Broker | Keeping | Pusher", resource
            ).close()

    def _once(self, name: str, make: Callable[[], _T]) -> _T:
        if (made := self._made.get(name)) is not None and self._pid == os.getpid():
            return cast("_T", made)
        with self._lock:
            if self._pid != os.getpid():
                # Forked since: the connections are the parent's, not to be shared nor closed here.
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
