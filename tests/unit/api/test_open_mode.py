"""While no key is asked for, the service is for its own machine, under that machine's own names."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from flask_openapi import OpenAPI

from api import create_app, open_mode
from api.open_mode import State, is_loopback
from shared import api_keys
from shared.api_keys import Role
from shared.db import UnitOfWork, make_engine
from shared.settings import Settings
from tests.integration import schema

#: A call that a stranger wants, and pages that an open service shows.
CALL = "/api/v1/liveness/sessions/00000000-0000-4000-8000-000000000000"
REBOUND = "rebound.attacker.example"
AFAR = {"REMOTE_ADDR": "192.0.2.7"}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """An empty database, migrated, and no Redis."""
    settings = Settings(
        _env_file=None,
        redis_url="redis://127.0.0.1:1/0",
        database_url=f"sqlite:///{tmp_path}/rows.db",
        state_dir=tmp_path / "state",
    )
    engine = make_engine(settings.database_url)
    schema.create(engine)
    engine.dispose()
    return settings


@pytest.fixture
def start(settings: Settings) -> Iterator[Callable[..., FlaskClient]]:
    apps: list[OpenAPI] = []

    def new(**changes: object) -> FlaskClient:
        app = create_app(settings.model_copy(update=changes))
        apps.append(app)
        return app.test_client()

    yield new
    for app in apps:
        app.extensions["resources"].close()


def make_key(settings: Settings) -> str:
    given, key = api_keys.make("", Role.SERVER, time.time())
    engine = make_engine(settings.database_url)
    with UnitOfWork(engine) as uow:
        uow.keys.add(key)
        uow.commit()
    engine.dispose()
    return given


def code_of(client: FlaskClient, host: str, path: str = CALL, **more: object) -> str | int:
    given = {"Host": host} | dict(more.pop("headers", {}))  # type: ignore[call-overload]
    with client.get(path, headers=given, **more) as answer:  # type: ignore[arg-type]
        return str(answer.json["code"]) if answer.mimetype == "application/problem+json" else answer.status_code


@pytest.mark.parametrize("auth", ["auto", "off"])
@pytest.mark.parametrize("path", [CALL, "/", "/docs", "/openapi.json", "/web/client/element.js", "/nothing"])
def test_an_open_service_answers_no_website_by_a_name_of_its_own(
    start: Callable[..., FlaskClient], auth: str, path: str
) -> None:
    client = start(auth=auth)
    for host in (REBOUND, f"{REBOUND}:8000", "localhost.attacker.example", "127.0.0.1.attacker.example", "192.168.1.5"):
        assert code_of(client, host, path) == "host_not_allowed"
    for host in ("", "localhost:8000, evil.example", "localhost@evil.example", "[::1", "evil.example#localhost"):
        assert code_of(client, host, path) == "host_not_allowed", "not well-formed"
    for host in ("localhost", "LOCALHOST:8000", "127.0.0.1:8000", "127.8.8.8", "[::1]:8000", "[::ffff:127.0.0.1]"):
        assert code_of(client, host, path) != "host_not_allowed"


def test_an_open_service_answers_no_other_machine(start: Callable[..., FlaskClient]) -> None:
    client = start()
    assert code_of(client, "localhost", environ_base=AFAR) == "peer_not_allowed", "any client can claim a host"
    assert code_of(client, "localhost", environ_base={"REMOTE_ADDR": "::ffff:192.0.2.7"}) == "peer_not_allowed"
    for here in ("127.0.0.1", "::1", "::ffff:127.0.0.1", ""):
        assert code_of(client, "localhost", environ_base={"REMOTE_ADDR": here}) == "session_not_found"
    behind = start(trusted_proxies=1)
    believed = {"X-Forwarded-For": "127.0.0.1"}
    assert code_of(behind, "localhost", headers=believed, environ_base=AFAR) == "peer_not_allowed", "a header's word"


def test_health_is_told_to_balancers_by_any_name(start: Callable[..., FlaskClient]) -> None:
    assert start().get("/livez", headers={"Host": "10.1.2.3:8000"}, environ_base=AFAR).status_code == 200


def test_bind_and_allowed_hosts_open_it_to_others(start: Callable[..., FlaskClient]) -> None:
    client = start(bind="0.0.0.0,192.0.2.1", allowed_hosts="demo.example.org, 2001:db8::7")
    assert code_of(client, "demo.example.org", environ_base=AFAR) == "session_not_found"
    assert code_of(client, "192.0.2.1:8000", environ_base=AFAR) == "session_not_found", "BIND names it"
    assert code_of(client, "[2001:DB8::7]:8000", environ_base=AFAR) == "session_not_found"
    assert code_of(client, REBOUND, environ_base=AFAR) == "host_not_allowed"
    assert code_of(start(bind="0.0.0.0", allowed_hosts="*"), REBOUND, environ_base=AFAR) == "session_not_found"


def test_a_closed_service_is_for_everyone_who_has_a_key(start: Callable[..., FlaskClient], settings: Settings) -> None:
    key = {"Authorization": f"Bearer {make_key(settings)}"}
    assert code_of(start(), REBOUND, environ_base=AFAR) == "key_missing"
    assert code_of(start(), "liveness.example.org", headers=key, environ_base=AFAR) == "session_not_found"
    named = start(allowed_hosts="liveness.example.org")
    assert code_of(named, REBOUND, headers=key) == "host_not_allowed"
    assert code_of(named, "Liveness.Example.org:443", headers=key) == "session_not_found"
    assert code_of(named, "127.0.0.1:8000", headers=key) == "session_not_found", "this machine's own checks"
    assert code_of(start(auth="required"), REBOUND, environ_base=AFAR) == "key_missing"


def test_a_service_that_was_closed_does_not_open_on_another_database(
    start: Callable[..., FlaskClient], settings: Settings, tmp_path: Path
) -> None:
    assert open_mode.state(settings) is State.OPEN
    make_key(settings)
    assert open_mode.state(settings) is State.CLOSED
    mistyped = settings.model_copy(update={"database_url": f"sqlite:///{tmp_path}/row.db"})
    assert open_mode.state(mistyped) is State.UNKNOWN, "no tables: nothing that needs a key is answered"
    engine = make_engine(mistyped.database_url)
    schema.create(engine)
    engine.dispose()
    assert open_mode.state(mistyped) is State.LOST
    client = start(database_url=mistyped.database_url)
    open_mode.watch(client.application)
    assert code_of(client, "localhost") == "key_missing", "nor while it runs"
    (settings.state_dir / open_mode.CLOSED).unlink()
    assert open_mode.state(mistyped) is State.OPEN


def test_a_running_service_remembers_its_first_key(start: Callable[..., FlaskClient], settings: Settings) -> None:
    client = start()
    open_mode.watch(client.application)
    assert code_of(client, "localhost") == "session_not_found"
    make_key(settings)
    client.application.extensions["keyring"]._read = None  # seconds later
    assert code_of(client, "localhost") == "key_missing"
    assert (settings.state_dir / open_mode.CLOSED).exists()


def test_without_a_place_to_remember_the_service_runs_all_the_same(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("no directory")
    make_key(settings)
    assert open_mode.state(settings) is State.CLOSED


@pytest.mark.parametrize(
    "host", ["", "localhost.", "0.0.0.0", "::", "10.0.0.1", "2130706433", "0x7f.1", "::ffff:10.0.0.1"]
)
def test_what_is_not_this_machine(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize("wrong", ["all", "localhost", "0.0.0.0:8000", "[::]", "*", "127.0.0.1;::1"])
def test_bind_takes_addresses(wrong: str) -> None:
    with pytest.raises(ValueError, match="must be IP addresses"):
        Settings(_env_file=None, bind=wrong)


@pytest.mark.parametrize("wrong", ["https://a.example", "a.example:8000", "*.example.org", "a b", "[::1]"])
def test_allowed_hosts_takes_names(wrong: str) -> None:
    with pytest.raises(ValueError, match="must be names or addresses"):
        Settings(_env_file=None, allowed_hosts=wrong)
