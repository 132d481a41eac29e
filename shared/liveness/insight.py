"""What the judge of a session's challenge sees, for developers: nothing is decided here."""

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
    """The judge's view of one challenge, with the newest frame that can be judged."""

    challenge: ChallengeType
    #: Position of the challenge, 0 for the first.
    position: int
    #: The arrival of that frame.
    at: float
    neutral: Neutral
    #: How much of the gesture that frame shows, and how much is needed; see `gestures.amount`.
    reached: float
    needed: float
    #: What the judge says of the frames as they are.
    judgement: Judgement


def look_into(session: Session, at: float) -> Insight | None:
    """What the judge of the current challenge (of an ended session: the last one) sees at `at`.

    `session.frames` must have been recalled. None where no frame can be judged, or the challenge is not revealed yet.
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
    """Where a person's own signal crosses what each challenge needs, in the signal's unit.

    The signal is yaw or pitch for the head, the mean of both eyes for a blink, the mouth's opening and the smile (width
    less drop). As for a head that faces the camera, and lips without a grin.
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
