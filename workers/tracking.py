"""Where the face was in a session's latest measured frame: kept for seconds, so that any worker can go on."""

from __future__ import annotations

from typing import cast

import msgspec
from redis import Redis

from shared.handoff.endings import SessionScript
from shared.redis import keyspace
from workers.vision.prior import Prior

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Prior | None)

#: Frames overtake each other, so that the newest frame's wins, whenever it was measured. ARGV: arrival, prior, seconds.
_KEEP_NEWEST = SessionScript("""
local kept = redis.call("hget", KEYS[2], "at")
if not kept or tonumber(kept) < tonumber(ARGV[1]) then
    redis.call("hset", KEYS[2], "at", ARGV[1], "prior", ARGV[2])
    redis.call("expire", KEYS[2], ARGV[3])
end
""")


def look(redis: Redis, session_id: str) -> bytes | None:
    """The latest prior, for `decode`. On a pipeline the reply is what counts."""
    return cast("bytes | None", redis.hget(keyspace.prior(session_id), "prior"))


def decode(data: bytes | None) -> Prior | None:
    """A prior out of what `look` has brought; None where there is none, or one of another version of the code."""
    if data is None:
        return None
    try:
        return _decoder.decode(data)
    except msgspec.ValidationError:
        return None  # during a deployment; the face is found anew


def keep(redis: Redis, session_id: str, at: float, prior: Prior | None) -> None:
    """Keep the prior of the frame that arrived at `at`, unless a newer frame's is kept. Client or pipeline.

    None is kept as well: the newest frame lost the face, so that nobody goes on from an older place.
    """
    key = keyspace.prior(session_id)
    _KEEP_NEWEST(redis, session_id, key, repr(at), _encoder.encode(prior), keyspace.PRIOR_TTL)
