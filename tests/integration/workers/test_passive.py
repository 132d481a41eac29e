"""The operator's own model over the queue: a real network, made here, looks at faces and goes into the verdict."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.db import UnitOfWork
from shared.handoff.clean_up import Endings
from shared.liveness.challenge import ChallengeType
from shared.liveness.evidence import Code
from shared.queue.messages import IDENTITY
from tests.integration.workers.scripted_worker import Script
from tests.integration.workers.service import Service
from tests.integration.workers.showing import show, stored
from tests.unit.vision.made_model import CURVE, make_model
from tests.waiting import until

BLINK = ChallengeType.BLINK


@pytest.fixture
def own_model(redis_url: str, tmp_path: Path):
    folder = tmp_path / "model"
    folder.mkdir()
    service = Service(redis_url, tmp_path, evidence_model=make_model(folder, CURVE), identity=False)
    yield service
    service.close()


@pytest.mark.parametrize(("who", "live"), [(250, True), (5, False)])
def test_the_model_looks_at_faces_and_decides_with_the_others(own_model: Service, who: int, live: bool) -> None:
    own_model.start_workers(1)
    own_model.start_workers(1, queue=IDENTITY)
    session_id = own_model.open(BLINK, passive=True)
    for _ in range(12):
        show(own_model, session_id, who=who)
    until(lambda: sum(s.score is not None for s in stored(own_model, session_id).passive.samples) >= 3)
    while not (last := show(own_model, session_id, who=who, passes=True)).session_complete:
        pass
    (finding,) = [f for f in stored(own_model, session_id).findings if f.code is Code.PASSIVE]
    assert finding.bits == (1.0 if live else -4.0)
    assert finding.score == pytest.approx(0.0 if live else 1.0, abs=0.02)
    assert last.session_complete
    assert not own_model.redis.keys("crops:*")


def test_without_its_worker_the_last_pass_waits_for_a_while_and_weighs_nothing(own_model: Service) -> None:
    own_model.start_workers(1)
    session_id = own_model.open(BLINK, passive=True)
    show(own_model, session_id)
    show(own_model, session_id)
    assert not show(own_model, session_id, passes=True).session_complete
    while not (last := show(own_model, session_id, passes=True)).session_complete:
        pass
    assert last.is_live
    assert Code.PASSIVE not in {f.code for f in stored(own_model, session_id).findings}
    assert not own_model.redis.keys("crops:*"), "nothing of the face stays"


def test_a_cancelled_session_leaves_no_crops(own_model: Service) -> None:
    own_model.start_workers(1)
    session_id = own_model.open(BLINK, passive=True)
    show(own_model, session_id)
    until(lambda: bool(own_model.redis.keys("crops:*")))
    with UnitOfWork(own_model.engine, on_end=Endings(own_model.redis)) as uow:
        session = uow.sessions.get(session_id, lock=True)
        assert session is not None
        uow.sessions.cancel(session, session.created_at + 1)
        uow.commit()
    assert not own_model.redis.keys("crops:*")


def test_a_model_that_is_not_the_described_one_stops_its_worker(own_model: Service) -> None:
    path = own_model.settings.evidence_model
    assert path is not None
    path.write_bytes(b"something else")
    worker = own_model.start_process("tests.integration.workers.scripted_worker:main", IDENTITY)
    until(lambda: "its SHA-256 is another" in worker.log)


def test_sessions_without_a_model_cost_nothing(running: Service) -> None:
    session_id = running.open(BLINK)
    running.post(session_id, Script())
    assert stored(running, session_id).passive is None
    assert not running.redis.keys("crops:*")
