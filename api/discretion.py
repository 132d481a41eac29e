"""What a client that may not see the verdict is told about a frame: nothing from which it could infer the verdict.

Every failure has the same answer, a pass that waits has the same hint whatever it waits for, and the confidence comes in
quarters. The time of a failure or of a last pass still says something: docs/access.md.
"""

from __future__ import annotations

from api.access import sees_verdict
from api.schemas import ENDED, FrameAnswer, HintView
from shared.liveness import hints
from shared.liveness.session import State

#: Codes of the hints of a pass that is held: for too little evidence, or for comparisons of faces.
_HELD = frozenset({hints.HOLD_STILL.code, hints.LOOK_STRAIGHT.code})
#: How many steps the confidence has.
_STEPS = 4


def told(answer: FrameAnswer) -> FrameAnswer:
    """The answer to a frame as this request's caller may see it."""
    if sees_verdict():
        return answer
    hint, face = answer.hint, answer.face
    if answer.state in ENDED and answer.state is not State.COMPLETED:
        hint, face = HintView.model_validate(hints.ENDED), None
    elif hint is not None and hint.code in _HELD:
        # The one of the two that suits both: a face that looks into the camera is compared, and shows evidence.
        hint = HintView.model_validate(hints.LOOK_STRAIGHT)
    elif hint is not None and hint.code == hints.TIMED_OUT.code:
        hint = None  # a failure is told by its state alone
    confidence = round(answer.confidence * _STEPS) / _STEPS
    return answer.model_copy(update={"is_live": None, "hint": hint, "face": face, "confidence": confidence})
