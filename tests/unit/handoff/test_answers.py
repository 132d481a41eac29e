from __future__ import annotations

import json
from dataclasses import dataclass

import msgspec
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
    "answer", [Answer(result=RESULT), Answer(problem=FrameProblem("not_an_image", "Send a JPEG."))]
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
    problem = Answer(problem=FrameProblem("too_many_pixels", "Send a smaller one."))
    assert json.loads(answers.encode(problem)) == {
        "problem": {"code": "too_many_pixels", "detail": "Send a smaller one.", "status": 503}
    }


@dataclass(frozen=True)
class FormerProblem:
    """The problem as web processes of the version before read it."""

    status: int
    code: str
    detail: str


class FormerAnswer(msgspec.Struct, forbid_unknown_fields=True):
    result: FrameResult | None = None
    problem: FormerProblem | None = None


def test_a_web_process_of_the_version_before_reads_a_problem():
    answer = Answer(problem=FrameProblem("session_not_found"))
    read = msgspec.json.decode(answers.encode(answer), type=FormerAnswer).problem
    # It looks the status up by the code, and has its own sentence for an empty one.
    assert read == FormerProblem(503, "session_not_found", "")


def test_a_problem_of_a_worker_of_the_version_before_is_read():
    former = msgspec.json.encode(FormerAnswer(problem=FormerProblem(422, "not_an_image", "Send a JPEG.")))
    problem = answers.decode(former).problem
    assert problem is not None
    assert (problem.code, problem.detail) == ("not_an_image", "Send a JPEG.")
