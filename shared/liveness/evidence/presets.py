"""The presets: how much evidence a live verdict takes."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Preset(StrEnum):
    """How much evidence a live verdict takes: a stricter preset accepts fewer attacks and turns more people away."""

    LENIENT = "lenient"
    STANDARD = "standard"
    STRICT = "strict"


#: Descriptor distance from which two faces of one session are taken for two people's, by preset.
SWAP_LIMITS: Mapping[Preset, float] = {Preset.LENIENT: 0.55, Preset.STANDARD: 0.52, Preset.STRICT: 0.48}
