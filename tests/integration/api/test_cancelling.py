"""Who may cancel a session, and who may erase one that has ended."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine

from shared.db import UnitOfWork
from shared.liveness.session import Session, State
from tests.integration.api.conftest import SESSIONS, MakeKey, session_like
from tests.integration.api.test_discretion import end

Start = Callable[..., FlaskClient]
Keep = Callable[[Session], Session]


def test_an_ended_session_is_the_servers_to_erase(
    start_app: Start, make_key: MakeKey, keep: Keep, engine: Engine
) -> None:
    server, app = make_key("server"), make_key("client")
    client = start_app()
    session = keep(session_like(state=State.FAILED, reason="identity_swap", ended_at=1009.0, owner=app.id))
    address = f"{SESSIONS}/{session.id}"
    refused = client.delete(address, headers=app.headers)
    assert (refused.status_code, refused.json["code"]) == (409, "session_ended")
    assert client.get(f"{address}/evidence", headers=server.headers).json["reason"] == "identity_swap"
    assert client.delete(address, headers=server.headers).status_code == 200


def test_an_overdue_session_has_ended(start_app: Start, make_key: MakeKey, keep: Keep) -> None:
    """Else a client that was about to fail could erase the evidence before the clock comes round."""
    server, app = make_key("server"), make_key("client")
    client = start_app()
    session = keep(session_like(expires_at=time.time() - 1, owner=app.id))
    address = f"{SESSIONS}/{session.id}"
    assert client.delete(address, headers=app.headers).json["code"] == "session_ended"
    assert client.get(address, headers=server.headers).json["state"] == "expired"


@pytest.mark.parametrize("role", ["server", "client"])
def test_a_client_and_a_token_may_cancel_what_has_not_ended(
    start_app: Start, make_key: MakeKey, engine: Engine, role: str
) -> None:
    key = make_key(role)
    client = start_app()
    assert (
        client.delete(
            f"{SESSIONS}/{client.post(SESSIONS, headers=key.headers).json['session_id']}", headers=key.headers
        ).status_code
        == 200
    )
    made = client.post(f"{SESSIONS}?token=true", headers=key.headers).json
    token = {"Authorization": f"Bearer {made['token']}"}
    assert client.delete(f"{SESSIONS}/{made['session_id']}", headers=token).json == {"cancelled": made["session_id"]}
    with UnitOfWork(engine, read_only=True) as uow:
        assert uow.sessions.get(made["session_id"]) is None


def test_a_token_erases_nothing_that_has_ended(start_app: Start, make_key: MakeKey, keep: Keep, engine: Engine) -> None:
    key = make_key()
    client = start_app()
    made = client.post(f"{SESSIONS}?token=true", headers=key.headers).json
    end(engine, made["session_id"], live=False)
    token = {"Authorization": f"Bearer {made['token']}"}
    assert client.delete(f"{SESSIONS}/{made['session_id']}", headers=token).json["code"] == "session_ended"
