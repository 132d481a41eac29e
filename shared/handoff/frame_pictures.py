"""Claims: pictures of frames that wait in Redis for a worker, while the message carries only the frame's id.

A picture is removed when its frame is answered, not when it is read: a message that is delivered again, because its worker
was killed, still finds it. A picture that no worker fetches expires.
Each function takes a client or a pipeline.
"""

from __future__ import annotations

from typing import cast

import msgspec
from redis import Redis

from shared.liveness.camera import CameraReport
from shared.redis import keyspace

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(CameraReport)


def put(redis: Redis, frame_id: str, picture: bytes, ttl: float) -> None:
    """Leave the picture of a frame for at most `ttl` seconds."""
    redis.set(keyspace.frame(frame_id), picture, px=max(1, int(ttl * 1000)))


def put_report(redis: Redis, frame_id: str, report: CameraReport, ttl: float) -> None:
    """Leave what the client said of its camera with a frame, for at most `ttl` seconds."""
    redis.set(keyspace.camera(frame_id), _encoder.encode(report), px=max(1, int(ttl * 1000)))


def look_report(redis: Redis, frame_id: str) -> bytes | None:
    """The encoded report that came with a frame, for `decode_report`. On a pipeline: its reply."""
    return cast("bytes | None", redis.get(keyspace.camera(frame_id)))


def decode_report(data: bytes | None) -> CameraReport | None:
    """The report that `look_report` has fetched; None if none came, or if another version of the code has written it."""
    if data is None:
        return None
    try:
        return _decoder.decode(data)
    except msgspec.DecodeError:
        return None


def look(redis: Redis, frame_id: str) -> bytes | None:
    """The picture of a frame; None if the frame has been answered or the picture has expired. On a pipeline: its reply."""
    return cast("bytes | None", redis.get(keyspace.frame(frame_id)))


def drop(redis: Redis, frame_id: str) -> None:
    """Remove the picture of a frame that has been answered, or that no request waits for any more."""
    redis.delete(keyspace.frame(frame_id), keyspace.camera(frame_id))
