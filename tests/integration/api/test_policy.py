"""A policy on the service's side: what callers may ask for, and what a server is told was asked for."""

from __future__ import annotations

import json
from collections.abc import Callable

import jwt
import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, text

from shared.db import UnitOfWork
from shared.liveness.evidence import Preset
from shared.liveness.session import Session, State
from tests.integration.api.conftest import SESSIONS, MakeKey, session_like

Start = Callable[..., FlaskClient]
Keep = Callable[[Session], Session]

#: The weakest check that the API can be asked for.
WEAKEST = "preset=lenient&num_challenges=1&challenge_types=SMILE&timeout_seconds=60"


def test_a_client_key_does_not_choose_how_weak_the_check_is(start_app: Start, make_key: MakeKey) -> None:
    server, app = make_key("server"), make_key("client")
    client = start_app()
    refused = client.post(f"{SESSIONS}?{WEAKEST}", headers=app.headers)
    assert (refused.status_code, refused.json["code"]) == (422, "outside_policy")
    assert {fault["parameter"] for fault in refused.json["errors"]} == {
        "preset",
        "num_challenges",
        "challenge_types",
        "timeout_seconds",
    }
    assert client.post(SESSIONS, headers=app.headers).status_code == 200, "the documented defaults"
    assert client.post(f"{SESSIONS}?{WEAKEST}", headers=server.headers).status_code == 200


@pytest.mark.parametrize(
    "weak",
    [
        "preset=lenient",
        "num_challenges=2",
        "timeout_seconds=15.5",
        "challenge_types=SMILE,BLINK",
        "exclude=TURN_LEFT,TURN_RIGHT,LOOK_UP,LOOK_DOWN,BLINK",
    ],
)
def test_each_way_of_weakening_a_check_is_refused(start_app: Start, make_key: MakeKey, weak: str) -> None:
    app = make_key("client")
    answer = start_app().post(f"{SESSIONS}?{weak}", headers=app.headers)
    assert (answer.status_code, answer.json["code"]) == (422, "outside_policy")
    (fault,) = answer.json["errors"]
    assert fault["parameter"] == weak.partition("=")[0]
    assert "must" in fault["detail"]


def test_a_client_key_may_ask_for_more(start_app: Start, make_key: MakeKey) -> None:
    app = make_key("client")
    more = "preset=strict&num_challenges=5&timeout_seconds=4&exclude=TURN_LEFT,TURN_RIGHT,LOOK_UP,LOOK_DOWN"
    assert start_app().post(f"{SESSIONS}?{more}", headers=app.headers).status_code == 200


def test_the_policy_of_clients_can_be_opened(start_app: Start, make_key: MakeKey) -> None:
    app = make_key("client")
    assert start_app(client_policy="any").post(f"{SESSIONS}?{WEAKEST}", headers=app.headers).status_code == 200


def test_a_key_has_a_policy_of_its_own(start_app: Start, make_key: MakeKey) -> None:
    """In place of CLIENT_POLICY, and beside POLICY; what is not asked for follows it."""
    app = make_key("client", policy="num_challenges=4..6 challenge_types=SMILE,BLINK timeout_seconds=..3")
    other = make_key("server", policy="mirrored=off reveal=next")
    client = start_app(policy="preset=strict..")
    made = client.post(SESSIONS, headers=app.headers).json
    assert len(made["challenges"]) == 4
    assert {each["type"] for each in made["challenges"]} == {"SMILE", "BLINK"}
    assert {each["timeout_seconds"] for each in made["challenges"]} == {3.0}
    for wrong in ("num_challenges=7", "preset=standard", "challenge_types=OPEN_MOUTH"):
        assert client.post(f"{SESSIONS}?{wrong}", headers=app.headers).json["code"] == "outside_policy"
    made = client.post(SESSIONS, headers=other.headers).json
    assert len(made["challenges"]) == 1, "revealed one at a time"
    for wrong in ("mirrored=true", "reveal=all", "preset=standard"):
        assert client.post(f"{SESSIONS}?{wrong}", headers=other.headers).json["code"] == "outside_policy"


def test_the_policy_of_everybody_holds_in_open_mode_too(start_app: Start) -> None:
    client = start_app(policy="num_challenges=2.. exclude=BLINK")
    assert client.post(f"{SESSIONS}?exclude=BLINK").status_code == 200
    for wrong in ("num_challenges=1", "exclude=SMILE", "challenge_types=SMILE,BLINK"):
        assert client.post(f"{SESSIONS}?{wrong}").json["code"] == "outside_policy"


def test_a_named_preset_is_no_way_around_the_operators_threshold(
    start_app: Start, make_key: MakeKey, engine: Engine
) -> None:
    app = make_key("client")
    made = start_app(liveness_threshold=0.9).post(f"{SESSIONS}?preset=standard", headers=app.headers)
    with UnitOfWork(engine, read_only=True) as uow:
        session = uow.sessions.get(made.json["session_id"])
    assert session is not None
    assert session.options.threshold == 0.9


ASKED = {
    "preset": "strict",
    "num_challenges": 4,
    "challenge_types": ["TURN_LEFT", "TURN_RIGHT", "SMILE"],
    "timeout_seconds": 7.5,
    "mirrored": True,
    "reveal": "next",
    "policy": "num_challenges=2..",
}
QUERY = (
    "preset=strict&num_challenges=4&challenge_types=TURN_LEFT,TURN_RIGHT,SMILE&timeout_seconds=7.5&mirrored=true"
    "&reveal=next&nonce=n-1&subject=account+4711"
)


def test_what_was_asked_for_is_told_to_servers_alone(start_app: Start, make_key: MakeKey, engine: Engine) -> None:
    server, app = make_key("server"), make_key("client", policy="num_challenges=2..")
    client = start_app()
    made = client.post(f"{SESSIONS}?{QUERY}", headers=app.headers).json
    with engine.connect() as connection:
        subject = connection.scalar(text("SELECT subject FROM sessions"))
        event = connection.execute(text("SELECT data FROM outbox")).scalar_one()
    address = f"{SESSIONS}/{made['session_id']}"
    look = client.get(address, headers=server.headers).json
    facts = {"asked": ASKED, "owner": app.id, "subject": subject, "nonce": "n-1"}
    assert {name: look[name] for name in facts} == facts
    look = client.get(address, headers=app.headers).json
    assert {look[name] for name in facts} == {None}
    told = json.loads(event)
    assert {name: told[name] for name in facts} == facts


def test_the_end_and_the_verdict_carry_what_was_asked_for(start_app: Start, make_key: MakeKey, keep: Keep) -> None:
    server = make_key("server")
    client = start_app()
    old = keep(
        session_like(
            state=State.COMPLETED, ended_at=1009.0, is_live=True, preset=Preset.STRICT, owner="abc", subject="f" * 64
        )
    )
    signed = client.get(f"{SESSIONS}/{old.id}/verdict", headers=server.headers).json["verdict"]
    claims = jwt.decode(signed, options={"verify_signature": False})
    assert claims["asked"] == {
        "preset": "strict",
        "num_challenges": 3,
        "challenge_types": None,  # a session of an earlier version
        "timeout_seconds": 5.0,
        "mirrored": False,
        "reveal": "all",
        "policy": None,
    }
    assert (claims["owner"], claims["subject"]) == ("abc", "f" * 64)
    session = session_like("b" * 8 + old.id[8:])
    session.tick(session.expires_at)
    assert session.events[-1].type == "session.expired"
    assert session.events[-1].data["asked"]["num_challenges"] == 3


def test_a_key_whose_policy_cannot_be_met_creates_nothing(start_app: Start, make_key: MakeKey) -> None:
    app = make_key("client", policy="num_challenges=..2")
    answer = start_app(policy="num_challenges=3..").post(SESSIONS, headers=app.headers)
    assert (answer.status_code, answer.json["code"]) == (422, "outside_policy")
