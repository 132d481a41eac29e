"""The verdict's presets, as the domain has them."""

from __future__ import annotations

from shared.liveness.evidence import Preset

#: Least to most evidence asked for.
PRESETS: tuple[str, ...] = tuple(Preset)
#: The one that gestures are judged under: passes do not depend on it.
USUAL = str(Preset.STANDARD)
