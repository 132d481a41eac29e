"""The numbers behind a gesture's judgement, for the developers' lab page: nothing is decided here."""

from __future__ import annotations

from dataclasses import dataclass

from shared.liveness.challenge import ChallengeType
from shared.liveness.gestures import Judgement, judge, thresholds
from shared.liveness.gestures.amount import NEEDED, amount
from shared.liveness.gestures.neutral import Neutral, learn_neutral
from shared.liveness.gestures.signals import FaceSignals
from shared.liveness.session import Session


@dataclass(frozen=True, slots=True)
class Insight:
    """What the judge of one challenge sees at the newest usable frame."""

    challenge: ChallengeType
    #: Position of the challenge, 0 for the first.
    position: int
    #: When that frame arrived.
    at: float
    #: The person's face at rest, as learned from the frames at hand.
    neutral: Neutral
    #: How much of the gesture that frame shows, and how much is needed, in the unit of `gestures.amount`.
    reached: float
    needed: float
    #: The judge's decision on the frames up to that one.
    judgement: Judgement


def look_into(session: Session, at: float) -> Insight | None:
    """What the judge of the first challenge that has not been passed (else of the last) sees at `at`.

    `session.frames` must have been loaded. None without a usable frame, or while the challenge is not revealed.
    """
    challenge = next((c for c in session.challenges if c.passed_at is None), session.challenges[-1])
    if challenge not in session.revealed(at):
        return None
    frames = [f for f in session.frames if f.at <= at and (challenge.deadline is None or f.at <= challenge.deadline)]
    signals = FaceSignals(frames)
    if not len(signals):
        return None
    newest, opening_until = float(signals.times[-1]), session.frames_needed(at)[0]
    neutral = learn_neutral(signals, opening_until)
    since = newest if challenge.started_at is None else challenge.started_at
    return Insight(
        challenge=challenge.type,
        position=session.challenges.index(challenge),
        at=newest,
        neutral=neutral,
        reached=float(amount(challenge.type, signals, neutral)[-1]),
        needed=NEEDED[challenge.type],
        judgement=judge(challenge.type, frames, since=since, opening_until=opening_until),
    )


def needed_levels(neutral: Neutral) -> dict[ChallengeType, float]:
    """The level of a person's own signal that each challenge needs, in the signal's unit.

    The signals are yaw and pitch in degrees; the mean openness of both eyes for a blink; the smile (mouth width less drop)
    and the lips' distance in inter-ocular distances. The levels hold for a head that faces the camera, and lips without a
    grin.
    """
    open_eyes = (neutral.left_eye + neutral.right_eye) / 2
    return {
        ChallengeType.TURN_LEFT: neutral.yaw + thresholds.TURN,
        ChallengeType.TURN_RIGHT: neutral.yaw - thresholds.TURN,
        ChallengeType.LOOK_UP: neutral.pitch + thresholds.LOOK_UP,
        ChallengeType.LOOK_DOWN: neutral.pitch - thresholds.LOOK_DOWN,
        ChallengeType.BLINK: open_eyes * thresholds.CLOSED,
        ChallengeType.SMILE: neutral.smile + thresholds.SMILE,
        ChallengeType.OPEN_MOUTH: neutral.mouth_open + thresholds.OPEN_MOUTH,
    }
