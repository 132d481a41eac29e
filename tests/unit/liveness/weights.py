"""A weighing for tests: simple numbers that stay what they are when the service's own are fitted again."""

from __future__ import annotations

from collections.abc import Sequence

from shared.liveness.challenge import ChallengeType
from shared.liveness.evidence import Code, Finding, Preset, Weighing
from shared.liveness.evidence.weighing import Curve, Group, group_of

#: Codes that are not found by looking at the frames of a challenge.
OF_IDENTITY = (Code.SWAPPED, Code.UNIDENTIFIED)


def everywhere(scores: tuple[float, ...], bits: tuple[float, ...]) -> dict[Group, Curve]:
    """The same curve for every challenge."""
    return dict.fromkeys(Group, Curve(scores, bits))


#: A face that has shown that it lives has a few bits in favour; each plain sign of an attack outweighs them all.
WEIGHTS = Weighing(
    curves={
        Code.STIFF: everywhere((0.2, 0.6, 1.0), (3.0, 1.0, -8.0)),
        Code.MIXED: everywhere((0.3, 0.8, 1.0), (1.0, 0.0, -8.0)),
        Code.FLAT: everywhere((0.0, 0.05, 0.1), (1.0, 0.0, -8.0)),
        Code.FROZEN: everywhere((0.0, 0.5, 1.0), (1.0, 0.0, -8.0)),
        Code.UNASKED: everywhere((0.0, 1.0, 3.0), (0.0, -1.0, -16.0)),
        Code.UNIDENTIFIED: everywhere((0.0, 1.0), (0.0, -16.0)),
        Code.SWAPPED: everywhere((0.4, 0.5, 0.52), (0.0, -1.0, -16.0)),
        Code.SCREEN: everywhere((0.6, 1.0), (0.0, -2.0)),
        Code.CUT: everywhere((0.3, 1.0), (0.0, -1.0)),
        Code.ABRUPT: everywhere((0.7, 1.0), (0.0, -1.0)),
    },
    prior=-2.0,
    scales=(1.0, 0.7, 0.5),
    thresholds={Preset.LENIENT: 0.3, Preset.STANDARD: 0.5, Preset.STRICT: 0.8},
    decisive={Code.REPEATED: 0.3, Code.UNSEEN: 1e-9},
)


def alive(weighing: Weighing, asked: Sequence[ChallengeType]) -> list[Finding]:
    """What the judges find, of the last of these challenges, where all say "a living person" as plainly as they can."""
    return _of_last(weighing, asked, 0)


def attack(weighing: Weighing, asked: Sequence[ChallengeType]) -> list[Finding]:
    """The same where all of them say "an attack" as plainly as they can without deciding by themselves."""
    return _of_last(weighing, asked, -1)


def _of_last(weighing: Weighing, asked: Sequence[ChallengeType], knot: int) -> list[Finding]:
    group, position = group_of(asked[-1]), len(asked) - 1
    weighed = {code: curves[group] for code, curves in weighing.curves.items() if group in curves}
    found = [Finding(code, curve.scores[knot], position) for code, curve in weighed.items() if code not in OF_IDENTITY]
    decisive = [Finding(code, 0.0, position) for code in weighing.decisive if code not in weighed]
    return found + decisive
