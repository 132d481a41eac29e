"""The verdict's presets."""

from __future__ import annotations

from shared.liveness.evidence import Preset

#: In the order of the evidence that they ask for.
PRESETS: tuple[str, ...] = tuple(Preset)
#: The preset of gestures, whose passes do not depend on it.
USUAL = str(Preset.STANDARD)
