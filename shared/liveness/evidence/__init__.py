"""What a session showed beyond its gestures: small judges, each with a score, and the verdict from all of them."""

from __future__ import annotations

from collections.abc import Sequence

from shared.liveness.challenge import ChallengeType
from shared.liveness.evidence.abrupt import abrupt, cut
from shared.liveness.evidence.adrift import adrift
from shared.liveness.evidence.calm import calm
from shared.liveness.evidence.finding import SPECIES, Code, Finding
from shared.liveness.evidence.fitted import FITTED
from shared.liveness.evidence.flat import flat
from shared.liveness.evidence.frozen import frozen
from shared.liveness.evidence.mixed import mixed
from shared.liveness.evidence.one_picture import one_picture
from shared.liveness.evidence.planar import planar
from shared.liveness.evidence.presets import SWAP_LIMITS, Preset
from shared.liveness.evidence.repeated import repeated
from shared.liveness.evidence.screen import moire, screen
from shared.liveness.evidence.sight import unseen
from shared.liveness.evidence.staring import staring
from shared.liveness.evidence.stiff import stiff
from shared.liveness.evidence.texture import texture
from shared.liveness.evidence.unasked import unasked
from shared.liveness.evidence.weighing import Verdict, Weighing, weighs_against
from shared.liveness.frame import Frame

__all__ = [
    "FITTED",
    "SPECIES",
    "SWAP_LIMITS",
    "Code",
    "Finding",
    "Preset",
    "Verdict",
    "Weighing",
    "examine",
    "weighs_against",
]


def examine(
    frames: Sequence[Frame],
    asked: Sequence[ChallengeType],
    *,
    since: float,
    met: float,
    opening_until: float,
    after: float = 0.0,
) -> list[Finding]:
    """What the frames of one challenge say whose gesture has been met; oldest first, up to now.

    asked: the challenges so far, the one that was met last of all; since: when that one began; met: when its gesture was
    met; opening_until: as in `shared.liveness.gestures.judge`. after: seconds that must be seen after `met`, see
    `sight.unseen`.

    Frames from before `since` are looked at by those judges alone that need to see more than a quick answer; frames from
    after `met` by those that do not look at the gesture's course.
    """
    kind, position = asked[-1], len(asked) - 1
    before = frames
    frames = [f for f in before if f.at >= since]
    course = [f for f in frames if f.at <= met]
    to_met = [f for f in before if f.at <= met]
    scores = {
        Code.UNSEEN: unseen(before, since=since, met=met, after=after),
        Code.FROZEN: frozen(frames),
        Code.FLAT: flat(course),
        Code.REPEATED: repeated(frames),
        Code.ABRUPT: abrupt(course, kind),
        Code.CUT: cut(frames),
        Code.STIFF: stiff(before, kind, since),
        Code.MIXED: mixed(before, kind, since),
        Code.PLANAR: planar(before, since),
        Code.CALM: calm(before, since),
        Code.ONE_PICTURE: one_picture(before, since),
        Code.STARING: staring(before, since),
        Code.TEXTURE: texture(before, since),
        Code.SCREEN: _first(screen(frames), screen(before)),
        Code.MOIRE: _first(moire(frames), moire(before)),
        Code.UNASKED: unasked(to_met, asked, since=since, opening_until=opening_until),
        Code.ADRIFT: _first(adrift(frames), adrift(before)),
    }
    return [Finding(code, round(score, 4), position) for code, score in scores.items() if score is not None]


def _first(score: float | None, other: float | None) -> float | None:
    """The score of the challenge; where it passed too soon for one, that of all that was seen up to then."""
    return other if score is None else score
