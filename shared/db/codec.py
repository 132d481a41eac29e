"""The encoding of columns: observations and answers as MessagePack; findings, options, held and identity as JSON for SQL.

Fields are encoded by name: a row written before a field (with a default) was added can still be read, and an older worker
can read a newer row. Both happen during a rolling deployment.
"""

from __future__ import annotations

from typing import Any

import msgspec

from shared.liveness.evidence import Code, Finding
from shared.liveness.held import Held
from shared.liveness.identity import Identity
from shared.liveness.observation import Observation
from shared.liveness.options import Options
from shared.liveness.session import FrameResult
from shared.liveness.terms import NO_TERMS, Terms

_encoder = msgspec.msgpack.Encoder()
_observations = msgspec.msgpack.Decoder(Observation)
_results = msgspec.msgpack.Decoder(FrameResult)


def encode_observation(observation: Observation) -> bytes:
    """The MessagePack of a frame's observation."""
    return _encoder.encode(observation)


def decode_observation(data: bytes) -> Observation:
    """The reverse of `encode_observation`."""
    return _observations.decode(data)


def encode_result(result: FrameResult) -> bytes:
    """The MessagePack of the answer to a frame."""
    return _encoder.encode(result)


def decode_result(data: bytes) -> FrameResult:
    """The reverse of `encode_result`."""
    return _results.decode(data)


def plain(value: Options | Terms | Identity | Held | list[Finding] | None) -> Any:
    """A value as dictionaries, lists and scalars, for a JSON column."""
    return msgspec.to_builtins(value)


def findings_of(data: Any) -> list[Finding]:
    """The reverse of `plain` for findings."""
    return msgspec.convert(data, list[Finding])


def options_of(data: Any) -> Options:
    """The reverse of `plain` for options."""
    return msgspec.convert(data, Options)


def terms_of(data: Any) -> Terms:
    """The reverse of `plain` for terms; those of a row without any are all unknown."""
    return NO_TERMS if data is None else msgspec.convert(data, Terms)


def identity_of(data: Any) -> Identity | None:
    """The reverse of `plain` for the identity."""
    return msgspec.convert(data, Identity | None)


def held_of(data: Any, identity: Any) -> Held | None:
    """The reverse of `plain` for the gesture that has been met and whose pass waits.

    identity: the JSON of the column `identity`, where workers before migration 0009 keep that gesture, without findings. It
    then counts as unseen until the next frame has been examined.
    """
    if data is not None:
        return msgspec.convert(data, Held)
    earlier = (identity or {}).get("held")
    if earlier is None:
        return None
    return Held(earlier["at"], earlier["confidence"], (Finding(Code.UNSEEN, 1.0),))
