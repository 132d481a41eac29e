"""The presets' thresholds: scores under which so many of the people's sessions are, each person counting alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from shared.liveness.evidence import Preset

#: The share of bona fide sessions that a preset may turn away (BPCER), each person counting alike.
TURNED_AWAY: Final[Mapping[Preset, float]] = {Preset.LENIENT: 0.01, Preset.STANDARD: 0.03, Preset.STRICT: 0.08}


def thresholds(scores: Sequence[tuple[str, float]]) -> dict[Preset, float]:
    """The threshold of each preset, from the bona fide sessions' (person, score)."""
    return {preset: _quantile(scores, share) for preset, share in TURNED_AWAY.items()}


def _quantile(scores: Sequence[tuple[str, float]], share: float) -> float:
    """The highest score that no more than `share` of the people's sessions are under, rounded down; people count alike."""
    sessions = Counter(person for person, _ in scores)
    under = 0.0
    for person, score in sorted(scores, key=lambda s: s[1]):
        under += 1 / (sessions[person] * len(sessions))
        # Shares are sums of many parts: the last digit turns nobody away.
        if under > share + 1e-9:
            # Within what a score is rounded to, and never so low that nothing needs to be shown.
            return max(0.01, int(1000 * score) / 1000)
    return 0.5
