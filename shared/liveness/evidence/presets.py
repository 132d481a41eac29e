"""How much evidence a verdict asks for."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Preset(StrEnum):
    """How much evidence is asked for: the stricter, the fewer attacks and the more people are turned away."""

    LENIENT = "lenient"
    STANDARD = "standard"
    STRICT = "strict"


#: The descriptor's distance from which two faces of one session are of two people, by preset: a swap ends a session at once.
SWAP_LIMITS: Mapping[Preset, float] = {Preset.LENIENT: 0.55, Preset.STANDARD: 0.52, Preset.STRICT: 0.48}
