"""The evidence of a session: small judges that each score how much its frames look like one kind of attack.

`examine` runs them over the frames of a challenge whose gesture was met; a `Weighing` turns their findings into the verdict.
"""

from __future__ import annotations

from collections.abc import Sequence

from shared.liveness.challenge import ChallengeType
from shared.liveness.evidence.abrupt import abrupt, cut
from shared.liveness.evidence.adrift import adrift
from shared.liveness.evidence.calm import calm
from shared.liveness.evidence.camera import camera
from shared.liveness.evidence.carried import carried
from shared.liveness.evidence.finding import SPECIES, Code, Finding
from shared.liveness.evidence.fitted import FITTED
from shared.liveness.evidence.flat import flat
from shared.liveness.evidence.frozen import frozen
from shared.liveness.evidence.mixed import mixed
from shared.liveness.evidence.one_picture import one_picture
from shared.liveness.evidence.planar import planar
from shared.liveness.evidence.presets import SWAP_LIMITS, Preset
from shared.liveness.evidence.repeated import repeated
from shared.liveness.evidence.same_eyes import same_eyes
from shared.liveness.evidence.screen import moire, screen
from shared.liveness.evidence.sight import unseen
from shared.liveness.evidence.staring import staring
from shared.liveness.evidence.stiff import stiff
from shared.liveness.evidence.texture import texture
from shared.liveness.evidence.unasked import unasked
from shared.liveness.evidence.weighing import Verdict, Weighing, weighs_against
from shared.liveness.frame import Frame
from shared.liveness.twins import held, without_twins

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
    """The findings about the latest challenge, whose gesture has been met.

    frames: those at hand, oldest first, up to now; asked: the challenges so far, the latest one last; since: when the latest
    one began; met: when its gesture was met; opening_until: the end of the session's opening; after: seconds for which the
    face must have been followed after `met`.

    Judges that need more frames than a quick gesture takes also use frames from before `since`. Judges of the gesture's
    course use no frames from after `met`.
    """
    kind, position = asked[-1], len(asked) - 1
    repeats = repeated([f for f in frames if f.at >= since])
    reports = camera(frames)  # a report may have come with a twin
    # A twin shows nothing new: no judge may count it, for or against the person. But a picture that is held stands still.
    late = held(frames)
    frames = without_twins(frames)
    with_held = sorted([*frames, *late], key=lambda frame: frame.at)
    of_challenge = [f for f in frames if f.at >= since]
    course = [f for f in of_challenge if f.at <= met]
    until_met = [f for f in frames if f.at <= met]
    scores = {
        Code.UNSEEN: unseen(frames, since=since, met=met, after=after),
        Code.FROZEN: frozen([f for f in with_held if f.at >= since]),
        Code.FLAT: flat(course),
        Code.REPEATED: repeats,
        Code.ABRUPT: abrupt(course, kind),
        Code.CUT: cut(of_challenge),
        Code.STIFF: stiff(frames, kind, since),
        Code.MIXED: mixed(frames, kind, since),
        Code.PLANAR: planar(with_held, since),
        Code.CALM: calm(with_held, since),
        Code.ONE_PICTURE: one_picture(with_held, since),
        Code.STARING: staring(frames, since),
        Code.TEXTURE: texture(with_held, since),
        Code.SAME_EYES: same_eyes(frames, since),
        Code.SCREEN: _first_score(screen(of_challenge), screen(frames)),
        Code.MOIRE: _first_score(moire(of_challenge), moire(frames)),
        Code.UNASKED: unasked(until_met, asked, since=since, opening_until=opening_until),
        Code.CAMERA: reports,
        Code.ADRIFT: _first_score(adrift(of_challenge), adrift(frames)),
        Code.CARRIED: _first_score(carried(of_challenge), carried(frames)),
    }
    return [Finding(code, round(score, 4), position) for code, score in scores.items() if score is not None]


def _first_score(of_challenge: float | None, of_all: float | None) -> float | None:
    """The score of the challenge's frames; if they are too few for one, that of all frames at hand."""
    return of_all if of_challenge is None else of_challenge
