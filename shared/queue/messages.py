"""Builds and sends the messages to the workers without importing the workers, and so without cv2 and dlib."""

from __future__ import annotations

from typing import Any

from dramatiq import Broker, Message
from dramatiq.errors import BrokerConnectionError
from redis.exceptions import RedisError

from shared.redis.timekeeping import now
from shared.telemetry import correlation

#: The queue of frames, and its actor.
FRAMES = "frames"
MEASURE_FRAME = "measure_frame"

#: The queue of faces to be compared, and its actor.
IDENTITY = "identity"
COMPARE_IDENTITY = "compare_identity"

#: The queue of reference pictures, and its actor. Whoever serves IDENTITY serves this queue as well, after that one.
REFERENCES = "references"
DESCRIBE_REFERENCE = "describe_reference"
JUDGE_CROPS = "judge_crops"

#: The queue of deliveries of webhooks, and its actor.
WEBHOOKS = "webhooks"
DELIVER_WEBHOOK = "deliver_webhook"
#: Calls of webhooks that one process makes at the same time, several times IN_FLIGHT; they cost little but a thread.
WEBHOOK_CALLS = 16


class QueueUnavailable(Exception):
    """Raised if the queue did not accept a message."""


def enqueue_frame(broker: Broker, session_id: str, frame_id: str, arrived_at: float) -> None:
    """Ask for a frame to be measured and judged; its picture is in `shared.handoff.frame_pictures` under `frame_id`.

    arrived_at: when the frame arrived at the API, in seconds since the epoch. Raises QueueUnavailable.
    """
    _enqueue(broker, FRAMES, MEASURE_FRAME, session_id=session_id, frame_id=frame_id, arrived_at=arrived_at)


def enqueue_comparison(broker: Broker, session_id: str, frame_id: str, expires_at: float) -> None:
    """Ask for a face to be compared with the session's first; its chip is in `shared.handoff.faces` under `frame_id`.

    expires_at: when the session and its descriptors expire, in seconds since the epoch. Raises QueueUnavailable.
    """
    _enqueue(broker, IDENTITY, COMPARE_IDENTITY, session_id=session_id, frame_id=frame_id, expires_at=expires_at)


def enqueue_reference(broker: Broker, session_id: str, expires_at: float) -> None:
    """Ask for the face to be described in the picture given at creation, which is in `shared.handoff.faces`.

    expires_at: when the session and its descriptors expire, in seconds since the epoch. Raises QueueUnavailable.
    """
    _enqueue(broker, REFERENCES, DESCRIBE_REFERENCE, session_id=session_id, expires_at=expires_at)


def enqueue_crops(broker: Broker, session_id: str, frame_id: str) -> None:
    """Ask the operator's own model about a face, whose crops are in `shared.handoff.faces`. Raises QueueUnavailable."""
    _enqueue(broker, IDENTITY, JUDGE_CROPS, session_id=session_id, frame_id=frame_id)


def enqueue_delivery(broker: Broker, delivery_id: str) -> None:
    """Ask for an attempt to deliver an event to a webhook. Raises QueueUnavailable."""
    _enqueue(broker, WEBHOOKS, DELIVER_WEBHOOK, delivery_id=delivery_id)


def _enqueue(broker: Broker, queue: str, actor: str, **arguments: Any) -> None:
    options = correlation.options()
    message: Message[None] = Message(
        queue_name=queue,
        actor_name=actor,
        args=(),
        kwargs=arguments,
        options=options,
        # By the service's time, since `shared.queue.broker.DropOld` compares it on another machine.
        message_timestamp=int(now() * 1000),
    )
    try:
        broker.enqueue(message)
    except (RedisError, BrokerConnectionError) as error:
        raise QueueUnavailable(str(error)) from error
