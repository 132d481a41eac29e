"""A real face through the real worker: what `dramatiq workers.main` does, with models, on every side."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import pytest
import skimage.data

from shared.liveness.challenge import ChallengeType
from shared.liveness.session import State
from tests.integration.workers.service import PRELOADED, ROOT, problem_of, result_of
from tests.waiting import until
from workers import tracking

pytestmark = pytest.mark.slow


@pytest.fixture
def models() -> Path:
    """Where the models are; without them there is nothing to see with."""
    directory = Path(os.environ.get("MODELS_DIR", ROOT / "var" / "models"))
    if not (directory / "face_landmark.tflite").exists():
        reason = "no models: ops/models brings them"
        if os.environ.get("CI"):
            pytest.fail(f"{reason}; in CI they must be there", pytrace=False)
        pytest.skip(reason)
    return directory


def jpeg(rows: slice) -> bytes:
    """A part of the portrait that scikit-image ships (NASA, public domain)."""
    picture = skimage.data.astronaut()[rows, :480, ::-1]
    encoded: bytes = cv2.imencode(".jpg", picture)[1].tobytes()
    return encoded


def test_a_face_starts_the_clock_and_a_picture_without_one_says_so(service, models):
    service.settings = service.settings.model_copy(update={"models_dir": models, "evidence_weights": None})
    (worker,) = service.start_workers(1, PRELOADED)
    session_id = service.open()
    without = result_of(service.post(session_id, jpeg(slice(360, 512))))
    assert without.hint is not None
    assert (without.state, without.hint.code) == (State.IN_PROGRESS, "no_face")
    session = service.session(session_id)
    assert session is not None
    assert session.challenges[0].started_at is None
    for _ in range(3):
        assert result_of(service.post(session_id, jpeg(slice(0, 360)))).state == State.IN_PROGRESS
    session = service.session(session_id)
    assert session is not None
    assert session.challenges[0].started_at is not None
    prior = tracking.decode(service.redis.hget(f"prior:{session_id}", "prior"))
    assert prior is not None
    assert prior.blinks == (session.challenges[0].type is ChallengeType.BLINK)
    assert problem_of(service.post(session_id, b"not a picture")) == "not_an_image"
    assert problem_of(service.post(session_id, jpeg(slice(0, 360))[:5000])) == "truncated_image"
    before = worker.children
    worker.renew()
    until(lambda: worker.children and not worker.children & before)
    assert result_of(service.post(session_id, jpeg(slice(0, 360)))).state == State.IN_PROGRESS
    worker.terminate()
    assert worker.ended() == 0
