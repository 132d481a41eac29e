"""The messages that the web sends to the workers, built without importing the workers (and so cv2 and dlib)."""

from __future__ import annotations

from dramatiq import Broker, Message
from dramatiq.errors import BrokerConnectionError
from redis.exceptions import RedisError

#: The queue of frames, and the actor that works on them.
FRAMES = "frames"
MEASURE_FRAME = "measure_frame"


class QueueUnavailable(Exception):
    """The queue did not take a message."""


def enqueue_frame(broker: Broker, session_id: str, frame_id: str, arrived_at: float) -> None:
    """Ask for a frame to be measured and judged; its picture has been left in `claims` under `frame_id`.

    arrived_at: when it arrived at the API, in seconds since the epoch.
    """
    message: Message[None] = Message(
        queue_name=FRAMES,
        actor_name=MEASURE_FRAME,
        args=(),
        kwargs={"session_id": session_id, "frame_id": frame_id, "arrived_at": arrived_at},
        options={},
    )
    try:
        broker.enqueue(message)
    except (RedisError, BrokerConnectionError) as error:
        raise QueueUnavailable(str(error)) from error
