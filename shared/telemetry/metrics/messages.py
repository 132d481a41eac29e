"""Dramatiq middleware that counts and times the messages of a worker."""

from __future__ import annotations

import threading
import time
from typing import Any

from dramatiq import Broker, MessageProxy, Middleware

from shared.redis.timekeeping import now
from shared.telemetry.metrics.table import MESSAGES, QUEUE_SECONDS, WORK_SECONDS


class Metering(Middleware):
    """Middleware that counts messages by outcome, and measures how long they waited and how long the work took."""

    def __init__(self) -> None:
        self._began = threading.local()

    def before_process_message(self, _broker: Broker, message: MessageProxy) -> None:
        """Observe how long the message waited, and start timing."""
        self._began.at = time.perf_counter()
        QUEUE_SECONDS.labels(message.queue_name).observe(max(0.0, now() - message.message_timestamp / 1000))

    def after_process_message(
        self, _broker: Broker, message: MessageProxy, *, result: Any = None, exception: BaseException | None = None
    ) -> None:
        """Observe how long the work took, and count the message as done or failed."""
        del result
        WORK_SECONDS.labels(message.actor_name).observe(time.perf_counter() - self._began.at)
        MESSAGES.labels(message.actor_name, "done" if exception is None else "failed").inc()

    def after_skip_message(self, _broker: Broker, message: MessageProxy) -> None:
        """Count the message as dropped."""
        MESSAGES.labels(message.actor_name, "dropped").inc()
