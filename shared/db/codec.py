"""Observations and answers as bytes for a row: MessagePack, by field name.

By name, so that a row written before a field with a default was added can still be read, and the other way round:
during a deployment both kinds of worker are at work.
"""
from __future__ import annotations

import msgspec

from shared.liveness.observation import Observation
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
