"""The resources of a worker process: Redis, the database, vision and the network that describes faces.

They are made after the process has booted, and only as far as its queues (`dramatiq … -Q`; all by default) need them.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import structlog
from dramatiq import Broker, Middleware, Worker
from redis import Redis
from sqlalchemy import Engine

from shared.db import DATABASE_TIMEOUT, make_engine
from shared.handoff.worker_presence import Heart
from shared.liveness.evidence import Weighing
from shared.queue.messages import FRAMES, IDENTITY, REFERENCES
from shared.redis.client import make_redis
from shared.redis.timekeeping import Keeping, keep_time
from shared.settings import Settings
from shared.telemetry.metrics.pushing import Pusher, started
from workers.free_memory import return_free_memory
from workers.tools import Describes, Looks
from workers.vision.descriptor import Describer
from workers.vision.passive import PassiveModel
from workers.vision.pipeline import Vision

log = structlog.get_logger(__name__)

#: Niceness of a process that only compares faces: it gives way a little to the processes that answer frames. More would
#: starve it on a busy machine, and honest people would not be live for want of comparisons.
NICE = 2


class Resources(Middleware):
    """Middleware that makes a process's resources before its first message and closes them after its last.

    Nothing is made at import or before a fork, since processes must not share connections.
    """

    redis: Redis
    engine: Engine
    _time: Keeping
    describer: Describes
    #: The operator's own model; None without one, and in processes that do not serve the queue `identity`.
    passive: PassiveModel | None = None

    def __init__(
        self,
        settings: Settings,
        load_vision: Callable[[Settings], Looks] | None = None,
        load_describer: Callable[[Settings], Describes] | None = None,
    ) -> None:
        self._settings = settings
        self._load_vision = load_vision or _load_vision
        self._load_describer = load_describer or _load_describer
        self._vision: Looks | None = None
        self._face_vision: Looks | None = None
        self._heart: Heart | None = None
        self._pusher: Pusher | None = None

    @property
    def vision(self) -> Looks:
        """The vision pipeline that measures frames; loaded now if the process has not needed it so far."""
        if self._vision is None:
            self._vision = self._load_vision(self._settings)
        return self._vision

    @property
    def face_vision(self) -> Looks:
        """The vision pipeline of reference pictures, with their own limit; loaded when it is first needed."""
        if self._face_vision is None:
            limit = {"max_pixels": self._settings.max_reference_pixels}
            self._face_vision = self._load_vision(self._settings.model_copy(update=limit))
        return self._face_vision

    @property
    def weighing(self) -> Weighing:
        """The weights and thresholds of verdicts."""
        return self._settings.weighing

    def before_worker_boot(self, _broker: Broker, worker: Worker) -> None:
        """Open connections and load models, so that the first frame is as fast as any other."""
        if worker.consumer_whitelist and IDENTITY in worker.consumer_whitelist:
            worker.consumer_whitelist.add(REFERENCES)
        queues = self._queues(worker)
        try:
            self.redis = make_redis(self._settings.redis_url)
            self._time = keep_time(self.redis)
            # One thread works on messages, and nothing else in the process uses the database.
            self.engine = make_engine(self._settings.database_url, pool_size=1, patience=DATABASE_TIMEOUT)
            if FRAMES in queues:
                self._vision = self._load_vision(self._settings)
            if (IDENTITY in queues or REFERENCES in queues) and self._settings.identity:
                self.describer = self._load_describer(self._settings)
            if IDENTITY in queues and self._settings.model is not None:
                self.passive = PassiveModel(self._settings.model)
        except Exception:
            # dramatiq would only log the error, and take frames that it cannot work on.
            log.exception("worker.cannot_start")
            raise SystemExit(1) from None
        return_free_memory()
        if FRAMES not in queues:
            os.nice(NICE)
        log.info("worker.loaded", queues=queues, landmarks=self._settings.landmarks)

    def after_worker_boot(self, _broker: Broker, worker: Worker) -> None:
        """Start the signs of life for the queues that this worker serves, and the pushing of metrics."""
        self._heart = Heart(self.redis, self._queues(worker))
        self._heart.start()
        if self._settings.counts:
            self._pusher = started(Pusher(make_redis(self._settings.redis_url)))

    def before_worker_shutdown(self, *_: object) -> None:
        """Stop the signs of life: this worker takes no more messages."""
        if self._heart is not None:
            self._heart.stop()
        if self._pusher is not None:
            self._pusher.close()

    def after_worker_shutdown(self, *_: object) -> None:
        """Close the connections."""
        self._time.close()
        self.engine.dispose()
        self.redis.close()

    def _queues(self, worker: Worker) -> list[str]:
        """The queues that this process serves: those of faces only with IDENTITY on, `identity` also with EVIDENCE_MODEL."""
        known = [FRAMES]
        if self._settings.needs_identity_worker:
            known.append(IDENTITY)
        if self._settings.identity:
            known.append(REFERENCES)
        return [queue for queue in known if not worker.consumer_whitelist or queue in worker.consumer_whitelist]


def _load_vision(settings: Settings) -> Vision:
    return Vision.load(settings.models_dir, settings.landmarks, max_pixels=settings.max_pixels, isolated=True)


def _load_describer(settings: Settings) -> Describer:
    return Describer(settings.models_dir)
