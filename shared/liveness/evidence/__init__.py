"""What a session showed beyond its gestures: small judges, each with a score, and the verdict from all of them."""

from __future__ import annotations

from collections.abc import Sequence

from shared.liveness.challenge import ChallengeType
from shared.liveness.evidence.abrupt import abrupt, cut
from shared.liveness.evidence.finding import SPECIES, Code, Finding
from shared.liveness.evidence.flat import flat
from shared.liveness.evidence.frozen import frozen
from shared.liveness.evidence.mixed import mixed
from shared.liveness.evidence.presets import LIMITS, Preset, against
from shared.liveness.evidence.repeated import repeated
from shared.liveness.evidence.screen import moire, screen
from shared.liveness.evidence.stiff import stiff
from shared.liveness.evidence.unasked import unasked
from shared.liveness.frame import Frame

__all__ = ["LIMITS", "SPECIES", "Code", "Finding", "Preset", "against", "examine"]


def examine(
    frames: Sequence[Frame],
    asked: Sequence[ChallengeType],
    *,
    since: float,
    opening_until: float,
    earlier: Sequence[Finding] = (),
) -> list[Finding]:
    """What the frames of one passed challenge say, oldest first, up to its pass.

    asked: the challenges so far, the one that was passed last of all; `since`: when that one began; opening_until: as in
    `shared.liveness.gestures.judge`. earlier: what the challenges before were found to show, for what adds up.

    Frames from before that are looked at by those judges alone that need to see more than a quick answer.
    """
    kind, position = asked[-1], len(asked) - 1
    before, frames = frames, [f for f in frames if f.at >= since]
    scores = {
        Code.FROZEN: frozen(frames),
        Code.FLAT: flat(frames),
        Code.REPEATED: repeated(frames),
        Code.ABRUPT: abrupt(frames, kind),
        Code.CUT: cut(frames),
        Code.STIFF: stiff(before, kind, since),
        Code.MIXED: mixed(before, kind, since),
        Code.SCREEN: _first(screen(frames), screen(before)),
        Code.MOIRE: _first(moire(frames), moire(before)),
        Code.UNASKED: _added(earlier, unasked(before, asked, since=since, opening_until=opening_until)),
    }
    return [Finding(code, round(score, 4), position) for code, score in scores.items() if score is not None]


def _added(earlier: Sequence[Finding], score: float | None) -> float | None:
    """The score on top of those of the challenges before."""
    return None if score is None else score + max((f.score for f in earlier if f.code is Code.UNASKED), default=0.0)


def _first(score: float | None, other: float | None) -> float | None:
    """The score of the challenge; where it passed too soon for one, that of all that was seen up to then."""
    return other if score is None else score
