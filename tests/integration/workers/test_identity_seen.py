"""One person all the way, through the real workers with their models: the drawn performer, and another one in its place.

The other one is the same portrait, bent and painted until the descriptor takes it for another person's: it shows that a swap
is seen from the pixels on, and nothing about how well real people are told apart.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import cv2
import pytest

from ops.lab.performer import Performer, portrait
from shared.handoff import portraits
from shared.liveness.challenge import ChallengeType
from shared.liveness.evidence import Code
from shared.liveness.options import Options
from shared.liveness.session import FrameResult, State
from shared.queue.messages import IDENTITY
from tests.integration.workers.service import Service, result_of
from tests.performer import require_models
from tests.somebody_else import somebody_else
from workers.vision.descriptor import MODEL_FILE

pytestmark = pytest.mark.slow


@pytest.fixture
def seeing(service: Service) -> Service:
    """A service with the real workers."""
    models = require_models(
        "face_landmark.tflite", "face_detection_short_range.tflite", "iris_landmark.tflite", MODEL_FILE
    )
    service.settings = service.settings.model_copy(update={"models_dir": models, "evidence_weights": None})
    service.start_workers(1, "workers.main")
    service.start_workers(1, "workers.main", IDENTITY)
    return service


def act(service: Service, session_id: str, people: Sequence[Performer]) -> FrameResult:
    """Each of the people does what is asked until it has passed; then it is the next one's turn."""
    actors = [person.answering(8, clock=time.monotonic) for person in people]
    actor = actors.pop(0)
    frame = next(actor)
    until = time.monotonic() + 30
    while time.monotonic() < until:
        began = time.monotonic()
        result = result_of(service.post(session_id, cv2.imencode(".jpg", frame)[1].tobytes()))
        if result.state not in (State.PENDING, State.IN_PROGRESS):
            return result
        if result.passed and actors:
            actor = actors.pop(0)
            next(actor)
        frame = actor.send({"challenge_type": result.challenge_type, "passed": result.passed})
        time.sleep(max(0.0, 0.125 - (time.monotonic() - began)))
    raise AssertionError("the session does not end")


def test_one_person_is_live_and_another_in_their_place_ends_the_session(
    seeing: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = Performer(seeing.settings.models_dir)
    with monkeypatch.context() as patch:
        patch.setattr(portrait, "load", somebody_else)
        other = Performer(seeing.settings.models_dir)
    for _ in range(3):  # a busy machine may look at no frame that is fit for a portrait
        session_id = seeing.open(
            ChallengeType.TURN_LEFT, ChallengeType.SMILE, timeout=8, identify=True, options=Options(portrait=True)
        )
        assert act(seeing, session_id, [one]).state is State.COMPLETED
        if portraits.look(seeing.redis, session_id) is not None:
            break
    assert portraits.look(seeing.redis, session_id) is not None
    session = seeing.session(session_id)
    assert session is not None
    distances = {f.challenge: f.score for f in session.findings if f.code is Code.SWAPPED}
    assert set(distances) == {0, 1}
    assert max(distances.values()) < 0.5
    assert not [f for f in session.findings if f.code is Code.UNIDENTIFIED]

    session_id = seeing.open(ChallengeType.TURN_LEFT, ChallengeType.SMILE, timeout=8, identify=True)
    assert act(seeing, session_id, [one, other]).state is State.FAILED
    session = seeing.session(session_id)
    assert session is not None
    assert session.reason == "identity_swap"
    assert session.challenges[0].passed_at is not None
