"""The signed verdict, as a relying party sees it: over HTTP, with nothing but the public keys."""

from __future__ import annotations

import os
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from flask.testing import FlaskClient
from pydantic import SecretStr
from sqlalchemy import Engine
from werkzeug.serving import make_server

from api import signing_keys
from shared.db import UnitOfWork
from shared.db.root_secret import RootSecret
from shared.db.trail import Action, Entry
from shared.liveness.evidence import Code, Finding
from shared.liveness.options import Options
from shared.liveness.session import State
from tests.integration.api.conftest import SESSIONS, session_like

ROOT = Path(__file__).parents[3]
ID = session_like().id


@pytest.fixture
def live(keep: Callable[..., Any]) -> None:
    """A session that is over, with a live person."""
    session = session_like(
        state=State.COMPLETED,
        is_live=True,
        started_at=1001.0,
        ended_at=1009.0,
        options=Options(nonce="n-1"),
        score=0.96875,
    )
    session.findings = [Finding(Code.STIFF, 0.0, 0, bits=3.0), Finding(Code.CUT, 0.9, 0, bits=-1.0)]
    for at, challenge in enumerate(session.challenges):
        challenge.passed_at, challenge.confidence = 1003.0 + at, 0.9
    keep(session)


@pytest.fixture
def site(client: FlaskClient) -> Iterator[str]:
    """Where the app listens."""
    server = make_server("127.0.0.1", 0, client.application, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


def verdict(client: FlaskClient) -> str:
    answer = client.get(f"{SESSIONS}/{ID}/verdict")
    assert answer.status_code == 200, answer.json
    signed: str = answer.json["verdict"]
    assert answer.json["expires_at"] == jwt.decode(signed, options={"verify_signature": False})["exp"]
    return signed


def run(engine: Engine, *arguments: str) -> str:
    """`ops/verdict-keys`, as an operator types it."""
    environment = os.environ | {"DATABASE_URL": str(engine.url)}
    command = [ROOT / "ops" / "verdict-keys", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240, check=True)
    return done.stdout


def by_hand(action: Action) -> Entry:
    return Entry(1e6, action, "", "operator", None, "command line", "a test")


def verify(client: FlaskClient, signed: str) -> dict[str, Any]:
    keys = jwt.PyJWKSet.from_dict(client.get("/.well-known/jwks.json").json)
    key = keys[jwt.get_unverified_header(signed)["kid"]]
    said: dict[str, Any] = jwt.decode(signed, key, algorithms=["ES256"], issuer="liveness")
    return said


def test_it_says_what_became_of_the_session(client: FlaskClient, live: None) -> None:
    signed = verdict(client)
    header = jwt.get_unverified_header(signed)
    assert (header["alg"], header["typ"]) == ("ES256", "liveness-verdict+jwt")
    said = verify(client, signed)
    assert abs(said.pop("iat") - time.time()) < 5
    assert abs(said.pop("exp") - time.time() - 600) < 5
    assert abs(said.pop("nbf") - time.time() + 60) < 5
    assert said.pop("jti") != verify(client, verdict(client))["jti"], "each signature is another verdict"
    assert said == {
        "iss": "liveness",
        "sub": ID,
        "nonce": "n-1",
        "is_live": True,
        "reason": None,
        "score": 0.96875,
        "preset": "standard",
        "challenges": [
            {"type": kind, "passed_at": 1003.0 + at, "confidence": 0.9}
            for at, kind in enumerate(("TURN_LEFT", "BLINK", "SMILE"))
        ],
        "against": ["cut"],
        "created_at": 1000.0,
        "started_at": 1001.0,
        "ended_at": 1009.0,
        "asked": {
            "preset": "standard",
            "num_challenges": 3,
            "challenge_types": None,
            "timeout_seconds": 5.0,
            "mirrored": False,
            "reveal": "all",
            "policy": None,
        },
        "owner": None,
        "subject": None,
    }


def test_the_documented_verifier_believes_it_and_nothing_else(
    client: FlaskClient, live: None, site: str, engine: Engine
) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "verdict.md").read_text(), re.DOTALL)
    assert 'SERVICE = "https://liveness.example.org"' in code
    names: dict[str, Any] = {}
    exec(code.replace('SERVICE + "/.well', f'"{site}/.well').replace("https://liveness.example.org", "liveness"), names)
    is_live = names["is_live"]

    def asked(audience: str = "https://bank.example.org") -> str:
        signed: str = client.get(f"{SESSIONS}/{ID}/verdict?audience={audience}").json["verdict"]
        return signed

    signed = asked()
    assert is_live(signed, ID, "n-1")
    assert not is_live(signed, ID, "another")
    assert not is_live(signed, "another", "n-1")
    with pytest.raises(jwt.InvalidAudienceError):
        is_live(asked("another"), ID, "n-1")
    with pytest.raises(jwt.MissingRequiredClaimError):
        is_live(verdict(client), ID, "n-1")
    # Signed by the service, and not what the relying party wants.
    secret = RootSecret(lambda: engine, None)
    said = jwt.decode(signed, options={"verify_signature": False})
    for claim, value in (("preset", "lenient"), ("challenges", said["challenges"][:2]), ("is_live", False)):
        other = signing_keys.sign(engine, secret, said | {claim: value}, "liveness-verdict+jwt", time.time())
        assert not is_live(other, ID, "n-1"), claim
    assert is_live(signing_keys.sign(engine, secret, said, "liveness-verdict+jwt", time.time()), ID, "n-1")
    assert not is_live(signing_keys.sign(engine, secret, said, "another+jwt", time.time()), ID, "n-1")
    head, claims, signature = signed.split(".")
    with pytest.raises(jwt.InvalidSignatureError):
        is_live(f"{head}.{claims}.{'A' * len(signature)}", ID, "n-1")
    own = signing_keys.ec.generate_private_key(signing_keys.ec.SECP256R1())
    with pytest.raises(jwt.InvalidSignatureError):
        is_live(jwt.encode(said, own, "ES256", headers={"kid": jwt.get_unverified_header(signed)["kid"]}), ID, "n-1")


def test_a_verdict_names_whom_it_is_for_only_when_asked(client: FlaskClient, live: None) -> None:
    """Libraries refuse a token with an audience that they were not told to expect: older verifiers must go on working."""
    assert "aud" not in verify(client, verdict(client))
    answer = client.get(f"{SESSIONS}/{ID}/verdict?audience=https://bank.example.org")
    signed = answer.json["verdict"]
    with pytest.raises(jwt.InvalidAudienceError):
        verify(client, signed)
    assert jwt.decode(signed, options={"verify_signature": False})["aud"] == "https://bank.example.org"
    assert client.get(f"{SESSIONS}/{ID}/verdict?audience=a%20b").json["code"] == "invalid_parameter"


CHECK = "/api/v1/liveness/verdicts/check"


def test_the_service_itself_tells_whether_a_verdict_is_valid(
    client: FlaskClient, start_app: Callable[..., FlaskClient], live: None, engine: Engine
) -> None:
    def check(text: str, client: FlaskClient = client) -> Any:
        answer = client.post(CHECK, json={"verdict": text})
        assert answer.status_code == 200, answer.json
        return answer.json["reason"]

    signed = verdict(client)
    assert client.post(CHECK, json={"verdict": signed}).json == {
        "valid": True,
        "reason": None,
        "claims": verify(client, signed),
    }
    head, claims, signature = signed.split(".")
    assert check(f"{head}.{claims}.{'A' * len(signature)}") == "bad_signature"
    assert check(signed, start_app(issuer="another")) == "other_issuer"
    for text in ("", "x", "a.b.c", f"{head}.{claims}", jwt.encode({}, "x" * 32, "HS256")):
        assert check(text) == "malformed"
    own = signing_keys.ec.generate_private_key(signing_keys.ec.SECP256R1())
    assert (
        check(jwt.encode({}, own, "ES256", headers={"kid": "of mine", "typ": "liveness-verdict+jwt"})) == "unknown_key"
    )
    secret, past = RootSecret(lambda: engine, None), time.time() - 700
    old = {"iss": "liveness", "exp": int(past) + 600}
    assert check(signing_keys.sign(engine, secret, old, "liveness-verdict+jwt", time.time())) == "expired"
    assert check(signing_keys.sign(engine, secret, old, "another+jwt", time.time())) == "malformed"


def test_only_servers_may_have_one_checked(start_app: Callable[..., FlaskClient], make_key: Callable[..., Any]) -> None:
    answer = start_app().post(CHECK, json={"verdict": ""}, headers=make_key("client").headers)
    assert answer.status_code == 403


def test_a_revoked_key_is_gone_at_once_and_its_verdicts_are_invalid(
    client: FlaskClient, live: None, engine: Engine
) -> None:
    leaked = verdict(client)
    kid = jwt.get_unverified_header(leaked)["kid"]
    run(engine, "rotate", "--now")
    assert verify(client, leaked)["sub"] == ID, "a replaced key is still published"
    said = run(engine, "revoke", kid)
    assert kid in said
    keys = client.get("/.well-known/jwks.json").json
    assert kid not in [key["kid"] for key in keys["keys"]]
    assert [key["kid"] for key in keys["revoked"]] == [kid]
    assert keys["revoked"][0]["revoked_at"] == pytest.approx(time.time(), abs=60)
    with pytest.raises(KeyError):
        verify(client, leaked)
    assert client.post(CHECK, json={"verdict": leaked}).json == {
        "valid": False,
        "reason": "revoked_key",
        "claims": None,
    }
    # The present key, too: another signs at once, and not the revoked one or one before it.
    present = jwt.get_unverified_header(verdict(client))["kid"]
    run(engine, "revoke", present[:10])
    last = verdict(client)
    assert jwt.get_unverified_header(last)["kid"] not in (kid, present)
    assert client.post(CHECK, json={"verdict": last}).json["valid"]
    assert "revoked" in run(engine, "list")
    with UnitOfWork(engine, read_only=True) as uow:
        entries = [entry for entry in uow.trail.of_no_session() if entry.action.value.startswith("verdict_key")]
    assert [(entry.action, entry.who) for entry in entries] == [
        (Action.VERDICT_KEY_CREATED, "service"),
        (Action.VERDICT_KEY_ROTATED, "operator"),
        (Action.VERDICT_KEY_REVOKED, "operator"),
        (Action.VERDICT_KEY_REVOKED, "operator"),
        (Action.VERDICT_KEY_CREATED, "operator"),
    ]
    assert entries[2].target == kid


@pytest.mark.parametrize("state", [State.PENDING, State.IN_PROGRESS, State.FAILED, State.EXPIRED])
def test_there_is_none_of_a_session_that_was_not_completed(
    client: FlaskClient, keep: Callable[..., Any], state: State
) -> None:
    keep(session_like(state=state))
    answer = client.get(f"{SESSIONS}/{ID}/verdict")
    assert (answer.status_code, answer.json["code"]) == (404, "verdict_not_found")


def test_several_web_processes_sign_with_the_same_key(
    start_app: Callable[..., FlaskClient], client: FlaskClient, live: None
) -> None:
    first, second = verdict(client), verdict(start_app())
    assert jwt.get_unverified_header(first)["kid"] == jwt.get_unverified_header(second)["kid"]
    answer = client.get("/.well-known/jwks.json")
    assert len(answer.json["keys"]) == 1
    assert "d" not in answer.json["keys"][0]
    assert answer.headers["Cache-Control"] == "public, max-age=300"


def test_keys_are_changed_with_an_overlap(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = RootSecret(lambda: engine, None)
    at = 1e6
    old = signing_keys.sign(engine, secret, {}, "x", at)
    kid = jwt.get_unverified_header(old)["kid"]
    new = signing_keys.rotate(engine, secret, at, entry=by_hand(Action.VERDICT_KEY_ROTATED)).kid

    def signs(when: float) -> str:
        found: str = jwt.get_unverified_header(signing_keys.sign(engine, secret, {}, "x", when))["kid"]
        return found

    def published(when: float) -> list[str]:
        return [key["kid"] for key in signing_keys.published(engine, when)]

    assert published(at) == [kid, new], "before it signs"
    assert signs(at + signing_keys.NOTICE - 1) == kid
    assert signs(at + signing_keys.NOTICE) == new
    assert published(at + signing_keys.NOTICE + signing_keys.KEPT - 1) == [kid, new]
    assert published(at + signing_keys.NOTICE + signing_keys.KEPT) == [new]


def test_a_copy_of_the_database_signs_nothing_without_the_secret(
    start_app: Callable[..., FlaskClient], client: FlaskClient, engine: Engine, live: None
) -> None:
    mine = start_app(token_secret=SecretStr("one secret of thirty-two letters!"))
    signed = verdict(mine)
    other = verdict(start_app(token_secret=SecretStr("another one, as long as it must be")))
    assert jwt.get_unverified_header(signed)["kid"] != jwt.get_unverified_header(other)["kid"]
    ours, others = verify(mine, signed), verify(mine, other)
    assert ours["sub"] == others["sub"], "both are published"
    assert ours["iss"] == others["iss"]
    with UnitOfWork(engine, read_only=True) as uow:
        assert not any(b"PRIVATE" in key.sealed for key in uow.signing_keys.all())


def test_the_command_changes_the_key(client: FlaskClient, live: None, engine: Engine) -> None:
    first = jwt.get_unverified_header(verdict(client))["kid"]

    second = run(engine, "rotate", "--now").split()[0]
    assert jwt.get_unverified_header(verdict(client))["kid"] == second != first
    assert [line.split()[0] for line in run(engine, "list").splitlines()] == [first, second]


def test_a_nonce_given_at_creation_is_kept(client: FlaskClient, engine: Engine) -> None:
    session_id = client.post(SESSIONS + "?nonce=abc").json["session_id"]
    with UnitOfWork(engine, read_only=True) as uow:
        session = uow.sessions.get(session_id)
    assert session is not None
    assert session.options.nonce == "abc"
    assert client.post(SESSIONS + "?nonce=%20").json["code"] == "invalid_parameter"
