"""Observations and answers as bytes for a row, MessagePack; findings, options and identity as JSON, which SQL can ask for.

All of them by field name, so that a row written before a field with a default was added can still be read, and the other
way round: during a deployment both kinds of worker are at work.
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

_encoder = msgspec.msgpack.Encoder()
_observations = msgspec.msgpack.Decoder(Observation)
_results = msgspec.msgpack.Decoder(FrameResult)


def encode_observation(observation: Observation) -> bytes:
    """What a frame showed, for its row."""
    return _encoder.encode(observation)


def decode_observation(data: bytes) -> Observation:
    """The reverse of `encode_observation`."""
    return _observations.decode(data)


def encode_result(result: FrameResult) -> bytes:
    """What was answered to a frame, for its row."""
    return _encoder.encode(result)


def decode_result(data: bytes) -> FrameResult:
    """The reverse of `encode_result`."""
    return _results.decode(data)


def plain(value: Options | Identity | Held | list[Finding] | None) -> Any:
    """Findings, options, what is held or what is known of the identity as what JSON is made of, for a row."""
    return msgspec.to_builtins(value)


def findings_of(data: Any) -> list[Finding]:
    """The reverse of `plain`, of findings."""
    return msgspec.convert(data, list[Finding])


def options_of(data: Any) -> Options:
    """The reverse of `plain`, of options."""
    return msgspec.convert(data, Options)


def identity_of(data: Any) -> Identity | None:
    """The reverse of `plain`, of what is known of the identity."""
    return msgspec.convert(data, Identity | None)


def held_of(data: Any, identity: Any) -> Held | None:
    """The reverse of `plain`, of a gesture that has been met.

    identity: the JSON of the column of that name, where workers of an earlier version keep it, without its findings: nothing
    counts as seen until the next frame has been examined.
    """
    if data is not None:
        return msgspec.convert(data, Held)
    earlier = (identity or {}).get("held")
    if earlier is None:
        return None
    return Held(earlier["at"], earlier["confidence"], (Finding(Code.UNSEEN, 1.0),))
