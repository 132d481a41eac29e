"""Declares every metric of the service: name, unit, help text, labels and buckets. No other module declares one.

Counting adds to numbers in this process's memory (prometheus_client); `shared.telemetry.metrics.pushing` adds them to the
totals in Redis. Labels have few, known values: rules instead of paths, codes instead of sentences, never an id, an address
or a key.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from types import TracebackType
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Histogram

#: The counts of this process since it started.
REGISTRY = CollectorRegistry(auto_describe=False)


@dataclass(frozen=True, slots=True)
class Declared:
    """The declaration of a metric, as /metrics shows it."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    #: Unit of the values.
    unit: str
    help: str
    labels: tuple[str, ...] = ()
    #: Upper bounds of a histogram's buckets, without the last, unbounded one.
    buckets: tuple[float, ...] = ()


#: All metrics by name, in the order of declaration.
TABLE: dict[str, Declared] = {}

#: Buckets in seconds for waiting times: from what people notice to a router's usual timeout of 30 s.
_WAITS = (0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
#: Buckets in seconds for the stages of measuring and judging a frame.
_STAGES = (0.0001, 0.00025, 0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.02, 0.03, 0.05, 0.1, 0.25, 1.0)


def _counter(name: str, unit: str, text: str, *labels: str) -> Counter:
    TABLE[name] = Declared(name, "counter", unit, text, labels)
    return Counter(name, text, labels, registry=REGISTRY)


def _histogram(name: str, text: str, *labels: str, buckets: tuple[float, ...], unit: str = "seconds") -> Histogram:
    TABLE[name] = Declared(name, "histogram", unit, text, labels, buckets)
    return Histogram(name, text, labels, buckets=buckets, registry=REGISTRY)


def _gauge(name: str, unit: str, text: str, *labels: str) -> Declared:
    """Declare a gauge, which no process counts: its value is looked up when /metrics is read."""
    declared = TABLE[name] = Declared(name, "gauge", unit, text, labels)
    return declared


# --- web ----------------------------------------------------------------------------------------------------------------

REQUESTS = _counter(
    "liveness_requests_total", "requests", "Requests answered, by the route's rule.", "rule", "method", "status"
)
PROBLEMS = _counter("liveness_problems_total", "requests", "Requests answered by a problem, by its code.", "code")
REQUEST_SECONDS = _histogram(
    "liveness_request_seconds", "Time from a request's beginning to its answer.", "rule", buckets=_WAITS
)
FRAME_ANSWER_SECONDS = _histogram(
    "liveness_frame_answer_seconds",
    "Time from a frame's arrival to its answer, for frames that a worker answered.",
    buckets=_WAITS,
)

LIMITS_OPEN = _counter(
    "liveness_limits_open_total", "requests", "Requests let through because Redis could not be asked for their limit."
)

# --- queue --------------------------------------------------------------------------------------------------------------

QUEUE_SECONDS = _histogram(
    "liveness_queue_seconds", "Time from the sending of a message until a worker takes it.", "queue", buckets=_WAITS
)
MESSAGES = _counter(
    "liveness_messages_total",
    "messages",
    "Messages that workers took, by outcome: done, failed, or dropped because they were too old.",
    "actor",
    "outcome",
)
WORK_SECONDS = _histogram("liveness_work_seconds", "Time of the work on one message.", "actor", buckets=_WAITS)
QUEUE_LENGTH = _gauge("liveness_queue_length", "messages", "Messages that wait for a worker.", "queue")
QUEUE_OLDEST = _gauge(
    "liveness_queue_oldest_seconds",
    "seconds",
    "Age of the message that will be taken next; 0 if none waits.",
    "queue",
)
WORKERS = _gauge(
    "liveness_workers",
    "processes",
    "Worker processes that have sent a sign of life lately, by the queue that they serve.",
    "queue",
)

# --- events -------------------------------------------------------------------------------------------------------------

EVENTS_WAITING = _gauge("liveness_events_waiting", "events", "Events that have not been published at EVENTS_URL yet.")
EVENTS_OLDEST = _gauge(
    "liveness_events_oldest_seconds",
    "seconds",
    "Age of the oldest event that has not been published yet; 0 if there is none.",
)
WEBHOOK_ATTEMPTS = _counter(
    "liveness_webhook_attempts_total",
    "attempts",
    "Calls of webhooks by outcome: delivered, put_off (tried again later), given_up (the last attempt failed).",
    "outcome",
)
WEBHOOKS_DISABLED = _gauge(
    "liveness_webhooks_disabled",
    "webhooks",
    "Webhooks that the service has disabled, by reason: gone (answered 410), failing (for days).",
    "reason",
)
WEBHOOKS_PAUSED = _gauge(
    "liveness_webhooks_paused",
    "webhooks",
    "Webhooks that are not called for a while, since several calls in a row failed.",
)

# --- vision and judging -------------------------------------------------------------------------------------------------

VISION_SECONDS = _histogram(
    "liveness_vision_seconds",
    "Time of a stage of the work on one picture: decode, find (a face in the whole picture), points, eyes, measure, samples "
    "(of evidence).",
    "stage",
    buckets=_STAGES,
)
JUDGING_SECONDS = _histogram(
    "liveness_judging_seconds", "Time to judge one frame: lock its session's row, judge, commit.", buckets=_STAGES
)

# --- sessions -----------------------------------------------------------------------------------------------------------

SESSIONS_CREATED = _counter("liveness_sessions_created_total", "sessions", "Sessions created.")
SESSIONS_ENDED = _counter(
    "liveness_sessions_ended_total",
    "sessions",
    "Sessions ended, by state, reason (empty if there is none) and verdict (true, false, none).",
    "state",
    "reason",
    "live",
)
SESSION_SCORE = _histogram(
    "liveness_session_score",
    "Scores of completed sessions, 0 to 1, by the verdict.",
    "live",
    buckets=(0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99),
    unit="ratio",
)
CHALLENGES_PASSED = _counter(
    "liveness_challenges_passed_total", "challenges", "Challenges passed, by kind.", "challenge"
)


class Stage:
    """Times a block, even if it raises: `with Stage(histogram.labels("decode")): …`."""

    __slots__ = ("_began", "_histogram")

    def __init__(self, histogram: Histogram) -> None:
        self._histogram = histogram

    def __enter__(self) -> None:
        self._began = time.perf_counter()

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        self._histogram.observe(time.perf_counter() - self._began)
