from __future__ import annotations

import json

import pytest

from shared.handoff import answers
from shared.handoff.answers import Answer, FrameProblem
from shared.liveness.challenge import ChallengeType, Prompt
from shared.liveness.framing import Framing
from shared.liveness.hints import Hint
from shared.liveness.session import FrameResult, State

RESULT = FrameResult(
    session_id="s",
    challenge_type=ChallengeType.BLINK,
    passed=True,
    confidence=0.92,
    challenges_remaining=2,
    session_complete=False,
    is_live=None,
    state=State.IN_PROGRESS,
    hint=Hint("passed", "Well done."),
    challenge=Prompt(ChallengeType.BLINK, "Blink your eyes", 5.0),
    face=Framing(0.5, 0.48, 0.3, 0.52),
)


@pytest.mark.parametrize(
    "answer", [Answer(result=RESULT), Answer(problem=FrameProblem(422, "not_an_image", "Send a JPEG."))]
)
def test_an_answer_comes_out_as_it_went_in(answer):
    assert answers.decode(answers.encode(answer)) == answer


def test_an_answer_is_either_a_result_or_a_problem_in_json():
    assert json.loads(answers.encode(Answer(result=RESULT))) == {
        "result": {
            "session_id": "s",
            "challenge_type": "BLINK",
            "passed": True,
            "confidence": 0.92,
            "challenges_remaining": 2,
            "session_complete": False,
            "is_live": None,
            "state": "in_progress",
            "hint": {"code": "passed", "text": "Well done."},
            "challenge": {"type": "BLINK", "instruction": "Blink your eyes", "timeout_seconds": 5.0},
            "face": {"x": 0.5, "y": 0.48, "width": 0.3, "height": 0.52},
        }
    }
    problem = Answer(problem=FrameProblem(404, "session_not_found", "Gone."))
    assert json.loads(answers.encode(problem)) == {
        "problem": {"status": 404, "code": "session_not_found", "detail": "Gone."}
    }
