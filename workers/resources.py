"""What the work of a worker process needs: Redis, the database, vision. Made after the process has booted."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from dramatiq import Middleware
from redis import Redis
from sqlalchemy import Engine

from shared.db import make_engine
from shared.presence import Heart
from shared.redis import make_redis
from shared.settings import Settings
from workers.frames import Measures
from workers.vision.pipeline import Vision

log = structlog.get_logger(__name__)


class Resources(Middleware):
    """Makes them before the first message is taken, once a process, and disposes of them after the last.

    Neither at import nor before a fork: connections must not be shared by processes, nor dlib's detectors by threads.
    """

    redis: Redis
    engine: Engine
    vision: Measures

    def __init__(self, settings: Settings, load_vision: Callable[[Settings], Measures] | None = None) -> None:
        self._settings = settings
        self._load_vision = load_vision or _load_vision
        self._heart: Heart | None = None

    def before_worker_boot(self, *_: object) -> None:
        """Load the models, so that the first frame is as fast as any other."""
        try:
            self.redis = make_redis(self._settings.redis_url)
            # One thread works on messages, and nothing else in this process needs rows.
            self.engine = make_engine(self._settings.database_url, pool_size=1)
            self.vision = self._load_vision(self._settings)
        except Exception:
            # dramatiq would only log it, and take frames that it cannot work on.
            log.exception("worker.cannot_start")
            raise SystemExit(1) from None
        log.info("worker.loaded", landmarks=self._settings.landmarks)

    def after_worker_boot(self, *_: object) -> None:
        """Tell that this worker takes frames."""
        self._heart = Heart(self.redis)
        self._heart.start()

    def before_worker_shutdown(self, *_: object) -> None:
        """Tell that it takes no more."""
        if self._heart is not None:
            self._heart.stop()

    def after_worker_shutdown(self, *_: object) -> None:
        """Close what was opened."""
        self.engine.dispose()
        self.redis.close()


def _load_vision(settings: Settings) -> Vision:
    return Vision.load(settings.models_dir, settings.landmarks, max_pixels=settings.max_pixels)
