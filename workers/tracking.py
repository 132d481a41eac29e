"""Priors in Redis: what a session's latest measured frame tells about the next, for whichever worker measures that one.

A prior is kept for seconds, in a hash of the frame's arrival and the encoded prior.
"""

from __future__ import annotations

from typing import cast

import msgspec
from redis import Redis

from shared.handoff.clean_up import SessionScript
from shared.redis import keyspace
from workers.vision.prior import Prior

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Prior | None)

#: Frames overtake each other: the prior of the frame that arrived last stays. ARGV: arrival, prior, seconds to live.
_KEEP_NEWEST = SessionScript("""
local kept = redis.call("hget", KEYS[2], "at")
if not kept or tonumber(kept) < tonumber(ARGV[1]) then
    redis.call("hset", KEYS[2], "at", ARGV[1], "prior", ARGV[2])
    redis.call("expire", KEYS[2], ARGV[3])
end
""")


def look(redis: Redis, session_id: str) -> bytes | None:
    """The encoded latest prior, for `decode`; on a pipeline it is the pipeline's reply."""
    return cast("bytes | None", redis.hget(keyspace.prior(session_id), "prior"))


def decode(data: bytes | None) -> Prior | None:
    """The prior that `look` has fetched; None if there is none, or if another version of the code has written it."""
    if data is None:
        return None
    try:
        return _decoder.decode(data)
    except msgspec.ValidationError:
        return None  # during a deployment: the face is searched for again


def keep(redis: Redis, session_id: str, at: float, prior: Prior | None) -> None:
    """Keep the prior of the frame that arrived at `at`, unless there is one of a newer frame, or the session has ended.

    None is kept as well: the frame has lost the face, and nothing may go on from an older place. Takes a client or a
    pipeline.
    """
    key = keyspace.prior(session_id)
    _KEEP_NEWEST(redis, session_id, key, repr(at), _encoder.encode(prior), keyspace.PRIOR_TTL)
