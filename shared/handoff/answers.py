"""A worker's answer to a frame, on its way back to the request that waits for it.

An answer lies in a Redis list of one element, so that the request can wait for it by a blocking pop. The element is JSON:
`{"result": {…a FrameResult…}}` or `{"problem": {"code": "not_an_image", "detail": "…", "status": 503}}`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import msgspec
from redis import Redis

from shared.liveness.session import FrameResult
from shared.redis import keyspace


@dataclass(frozen=True, slots=True)
class FrameProblem:
    """Why a frame could not be judged: the code of a problem that the API documents.

    The HTTP status and the sentence belong to the API (`api.problems.KINDS`).
    """

    code: str
    #: A sentence in place of the API's own, where the worker knows more; empty where it does not.
    detail: str = ""
    #: Read only by web processes of the version before, which run beside new workers while a version is rolled out: they
    #: refuse a problem without a status, and use it for a code that they do not know.
    status: int = 503


class Answer(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Either a result or a problem."""

    result: FrameResult | None = None
    problem: FrameProblem | None = None


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Answer)


def encode(answer: Answer) -> bytes:
    """The JSON of an answer."""
    return _encoder.encode(answer)


def decode(data: bytes) -> Answer:
    """The answer in JSON; raises msgspec.ValidationError where it is none."""
    return _decoder.decode(data)


def push(redis: Redis, frame_id: str, answer: Answer) -> None:
    """Leave an answer for the request that waits for it. Two commands: takes a client or, better, a pipeline."""
    key = keyspace.answer(frame_id)
    redis.rpush(key, encode(answer))
    redis.expire(key, keyspace.ANSWER_TTL)


def wait(redis: Redis, frame_id: str, timeout: float) -> Answer | None:
    """Wait for a frame's answer for at most `timeout` seconds; None if there was none.

    redis: a client, not a pipeline, made with a `blocks_for` of at least `timeout`.
    """
    if timeout <= 0:  # BLPOP would wait for ever
        data = cast("bytes | None", redis.lpop(keyspace.answer(frame_id)))
        return None if data is None else decode(data)
    popped = cast("tuple[bytes, bytes] | None", redis.blpop([keyspace.answer(frame_id)], timeout=timeout))
    return None if popped is None else decode(popped[1])
