"""What a worker does with messages, counted around each."""

from __future__ import annotations

import threading
import time
from typing import Any

from dramatiq import Broker, MessageProxy, Middleware

from shared.redis.timekeeping import now
from shared.telemetry.metrics.table import MESSAGES, QUEUE_SECONDS, WORK_SECONDS


class Metering(Middleware):
    """Counts messages by what became of them, how long they waited, and how long the work took."""

    def __init__(self) -> None:
        self._began = threading.local()

    def before_process_message(self, _broker: Broker, message: MessageProxy) -> None:
        """It was taken."""
        self._began.at = time.perf_counter()
        QUEUE_SECONDS.labels(message.queue_name).observe(max(0.0, now() - message.message_timestamp / 1000))

    def after_process_message(
        self, _broker: Broker, message: MessageProxy, *, result: Any = None, exception: BaseException | None = None
    ) -> None:
        """It has been worked on."""
        del result
        WORK_SECONDS.labels(message.actor_name).observe(time.perf_counter() - self._began.at)
        MESSAGES.labels(message.actor_name, "done" if exception is None else "failed").inc()

    def after_skip_message(self, _broker: Broker, message: MessageProxy) -> None:
        """It was dropped."""
        MESSAGES.labels(message.actor_name, "dropped").inc()
