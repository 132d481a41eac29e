"""What a client that may not see the verdict can find out about it: nothing by answers, nothing by refusals."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine

from shared.db import UnitOfWork
from shared.handoff import answers
from shared.handoff.answers import Answer
from shared.liveness import hints
from shared.liveness.challenge import ChallengeType
from shared.liveness.framing import Framing
from shared.liveness.hints import Hint
from shared.liveness.session import FrameResult, Session, State
from tests.endings import nothing_else
from tests.integration.api.conftest import SESSIONS, MakeKey, session_like
from tests.integration.api.test_server import jpeg

Start = Callable[..., FlaskClient]
Keep = Callable[[Session], Session]

RESULT = FrameResult(
    session_id="a1b2c3d4-e5f6-7890-abcd-ef1234567890",
    challenge_type=ChallengeType.SMILE,
    passed=False,
    confidence=0.623,
    challenges_remaining=1,
    session_complete=False,
    is_live=None,
    state=State.IN_PROGRESS,
    face=Framing(0.5, 0.5, 0.3, 0.5),
)


@pytest.fixture
def answered(monkeypatch: pytest.MonkeyPatch) -> Callable[[FrameResult], None]:
    """Have the workers answer every frame with this result."""

    def set_result(result: FrameResult) -> None:
        monkeypatch.setattr(answers, "wait", lambda *facts: Answer(result=result))

    return set_result


def frame(client: FlaskClient, headers: dict[str, str], session_id: str = RESULT.session_id) -> dict[str, Any]:
    sent = client.post(f"{SESSIONS}/{session_id}/frame", headers=headers, data={"image": (io.BytesIO(jpeg()), "f.jpg")})
    assert sent.status_code == 200
    return dict(sent.json)


def test_by_default_the_verdict_is_for_servers_once_a_key_exists(
    start_app: Start, make_key: MakeKey, keep: Keep, engine: Engine
) -> None:
    session = keep(session_like(state=State.COMPLETED, ended_at=1009.0, is_live=True))
    assert start_app().get(f"{SESSIONS}/{session.id}").json["is_live"] is True, "the documented open mode"
    app, server = make_key("client"), make_key("server")
    own = keep(replace(session, id="b" * 8 + session.id[8:], owner=app.id))
    closed = start_app()
    for headers, seen in ((app.headers, None), (server.headers, True)):
        assert closed.get(f"{SESSIONS}/{own.id}", headers=headers).json["is_live"] is seen
        assert closed.post(f"{SESSIONS}/{own.id}/frame", headers=headers).json["is_live"] is seen


def test_every_failure_looks_the_same(
    start_app: Start, make_key: MakeKey, keep: Keep, answered: Callable[[FrameResult], None]
) -> None:
    app = make_key("client")
    client = start_app()
    keep(session_like(owner=app.id))
    failed = replace(RESULT, challenge_type=None, confidence=0.0, state=State.FAILED)
    seen = []
    for result in (
        replace(failed, hint=hints.TIMED_OUT),
        replace(failed, hint=hints.ENDED),
        replace(failed, hint=hints.ENDED, face=None),
    ):
        answered(result)
        seen.append(frame(client, app.headers))
    swapped = keep(
        session_like(
            "b" * 8 + RESULT.session_id[8:], owner=app.id, state=State.FAILED, reason="identity_swap", ended_at=1009.0
        )
    )
    seen.append(frame(client, app.headers, swapped.id) | {"session_id": RESULT.session_id, "challenges_remaining": 1})
    assert seen[1:] == seen[:-1]
    assert seen[0]["hint"]["code"] == "ended"


@pytest.mark.parametrize("hint", [hints.HOLD_STILL, hints.LOOK_STRAIGHT])
def test_why_a_pass_waits_is_not_told(
    start_app: Start, make_key: MakeKey, keep: Keep, answered: Callable[[FrameResult], None], hint: Hint
) -> None:
    app, server = make_key("client"), make_key("server")
    client = start_app()
    keep(session_like(owner=app.id))
    answered(replace(RESULT, hint=hint))
    assert frame(client, app.headers)["hint"]["code"] == "look_straight"
    assert frame(client, server.headers)["hint"]["code"] == hint.code


def test_a_time_that_runs_out_is_not_told_before_the_end(
    start_app: Start, make_key: MakeKey, keep: Keep, answered: Callable[[FrameResult], None]
) -> None:
    app = make_key("client")
    client = start_app()
    keep(session_like(owner=app.id))
    answered(replace(RESULT, hint=hints.TIMED_OUT))
    assert frame(client, app.headers)["hint"] is None


def test_confidence_is_too_coarse_to_climb_on(
    start_app: Start, make_key: MakeKey, keep: Keep, answered: Callable[[FrameResult], None]
) -> None:
    app, server = make_key("client"), make_key("server")
    roomy = {
        "frames_per_session": 1000,
        "frames_per_worker": 1000,
        "limit_frames": "off",
    }  # nothing takes the frames away again
    client, open_handed = start_app(**roomy), start_app(client_sees_verdict=True, **roomy)
    keep(session_like(owner=app.id))
    seen = set()
    for thousandth in range(0, 1001, 7):
        answered(replace(RESULT, confidence=thousandth / 1000))
        seen.add(frame(client, app.headers)["confidence"])
    assert seen == {0.0, 0.25, 0.5, 0.75, 1.0}
    answered(RESULT)
    assert frame(client, server.headers)["confidence"] == frame(open_handed, app.headers)["confidence"] == 0.623


def end(engine: Engine, session_id: str, *, live: bool) -> None:
    with UnitOfWork(engine, on_end=nothing_else) as uow:
        session = uow.sessions.get(session_id, lock=True)
        assert session is not None
        session.started_at, session.ended_at = time.time(), time.time()
        session.state, session.is_live = State.COMPLETED, live
        uow.sessions.save(session)
        uow.commit()


@pytest.mark.parametrize("live", [True, False])
def test_attempts_are_not_told_to_client_keys(start_app: Start, make_key: MakeKey, engine: Engine, live: bool) -> None:
    """Else the next creation would say whether the last sessions were live."""
    app = make_key("client")
    client = start_app(attempts=2)
    answers = [client.post(f"{SESSIONS}?subject=me", headers=app.headers) for _ in range(2)]
    for answer in answers:
        end(engine, answer.json["session_id"], live=live)
    next_one = client.post(f"{SESSIONS}?subject=me", headers=app.headers)
    assert (next_one.status_code, list(next_one.json)) == (200, list(answers[0].json))
    with UnitOfWork(engine, read_only=True) as uow:
        session = uow.sessions.get(next_one.json["session_id"])
    assert session is not None
    assert session.terms.attempts_spent is not live
    assert session.fell_short is False
