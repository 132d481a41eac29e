"""Each process works with the role in PostgreSQL that `ops.run.roles` makes for it, and may do nothing else."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest
from dramatiq import Worker
from flask.testing import FlaskClient
from pydantic import SecretStr
from redis import Redis
from sqlalchemy import Engine

from ops.lab.rig.servers import QuickPostgres, _binaries
from ops.run import roles
from ops.run.up import ROOT
from shared.db import UnitOfWork, make_engine
from shared.db.tables import metadata
from shared.handoff import faces
from shared.handoff.clean_up import Endings
from shared.liveness.identity import Identity, Sample
from shared.liveness.session import State
from shared.queue.broker import make_broker, worker_middleware
from shared.settings import Settings
from shared.webhooks import Delivery, Status
from tests.integration import schema
from tests.integration.api.conftest import SESSIONS, Eyes, MakeKey, Tools, session_like
from tests.integration.api.test_server import jpeg
from tests.integration.events.conftest import EventsProcess, live
from tests.integration.events.test_webhooks import Endpoint
from tests.waiting import until
from workers import clock, frames
from workers.identity import IdentityWork
from workers.vision.descriptor import encode_chip

METRICS = "the token of this test"
VERBS = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")


@pytest.fixture
def prefix(monkeypatch: pytest.MonkeyPatch, postgres: QuickPostgres) -> Iterator[str]:
    """The roles' prefix: roles belong to the whole server, which other tests use too."""
    prefix = f"r{uuid.uuid4().hex[:8]}"
    for process in roles.GRANTS:
        monkeypatch.setenv(f"{prefix}_{process}_password".upper(), f"of {process}")
    yield prefix
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        for process in roles.GRANTS:
            connection.execute(f"DROP ROLE IF EXISTS {prefix}_{process}")


@pytest.fixture
def made(postgres_url: str, prefix: str, postgres: QuickPostgres) -> Iterator[dict[str, str]]:
    """A migrated database with roles: its URL by the process; that of the owner under "release"."""
    owner = make_engine(postgres_url)
    schema.upgrade(owner)
    assert roles.apply(postgres_url, prefix) == list(roles.GRANTS)
    yield {"release": postgres_url} | {
        process: postgres_url.replace("//liveness@", f"//{prefix}_{process}@") for process in roles.GRANTS
    }
    with owner.begin() as connection:
        for process in roles.GRANTS:
            connection.exec_driver_sql(f"DROP OWNED BY {prefix}_{process}")
    owner.dispose()


@pytest.fixture
def engine_of(made: dict[str, str]) -> Iterator[Callable[[str], Engine]]:
    """An engine that signs in as a process does."""
    engines: list[Engine] = []

    def make(process: str) -> Engine:
        engines.append(make_engine(made[process], pool_size=2))
        return engines[-1]

    yield make
    for engine in engines:
        engine.dispose()


@pytest.fixture
def engine(engine_of: Callable[[str], Engine]) -> Engine:
    """The owner's, with which the operator makes keys."""
    return engine_of("release")


@pytest.fixture
def settings(settings: Settings, made: dict[str, str]) -> Settings:
    """The web process's."""
    return settings.model_copy(update={"database_url": made["web"], "webhooks_private": True, "lab": True})


@pytest.fixture
def worker(settings: Settings, engine_of: Callable[[str], Engine], redis: Redis, eyes: Eyes) -> Iterator[Worker]:
    """A worker of frames with its own role."""
    broker = make_broker(settings, worker_middleware(settings))
    frames.declare(broker, Tools(redis, engine_of("worker"), eyes), max_age=int(settings.frame_deadline * 1000))
    worker = Worker(broker, worker_threads=1, worker_timeout=100)
    worker.start()
    yield worker
    worker.stop()
    broker.close()


def test_web_and_worker_do_their_work(
    start_app: Callable[..., FlaskClient], make_key: MakeKey, worker: Worker, engine: Engine
) -> None:
    key = make_key()
    client = start_app(metrics_token=SecretStr(METRICS))
    with_key = {"headers": key.headers}

    def call(method: str, path: str, **more: Any) -> Any:
        answer = client.open(path, method=method, **(with_key | more))
        assert answer.status_code in (200, 201, 202, 204), (method, path, answer.json)
        return answer.json

    call("GET", "/.well-known/jwks.json")
    one = call("POST", f"{SESSIONS}?subject=somebody&token=true")["session_id"]
    for _ in range(2):
        call("POST", f"{SESSIONS}/{one}/frame", data={"image": (io.BytesIO(jpeg()), "f")})
    call("GET", f"{SESSIONS}/{one}")
    call("GET", f"{SESSIONS}/{one}/evidence")
    hook = call("POST", "/api/v1/webhooks", json={"url": "http://127.0.0.1:9/hook"})["id"]
    call("GET", "/api/v1/webhooks")
    call("PATCH", f"/api/v1/webhooks/{hook}", json={"enabled": False})
    call("DELETE", f"/api/v1/webhooks/{hook}")
    # A session that a GET finds overdue, one with a verdict, and one that is cancelled.
    overdue = session_like(str(uuid.uuid4()), owner=key.id, expires_at=time.time() - 1, subject="f" * 64)
    live = session_like(str(uuid.uuid4()), state=State.COMPLETED, is_live=True, started_at=1.0, ended_at=2.0, score=0.9)
    with UnitOfWork(engine) as uow:
        uow.sessions.add(overdue)
        uow.sessions.add(live)
        uow.commit()
    assert call("GET", f"{SESSIONS}/{overdue.id}")["state"] == "expired"
    call("GET", f"{SESSIONS}/{live.id}/verdict")
    call("DELETE", f"{SESSIONS}/{one}")
    assert client.get("/metrics", headers={"Authorization": f"Bearer {METRICS}"}).status_code == 200
    with UnitOfWork(engine, read_only=True) as uow:
        assert uow.sessions.get(one) is None
        assert uow.keys.all()[0].last_used_at is not None


def test_a_worker_ends_a_session(engine_of: Callable[[str], Engine], engine: Engine, redis: Redis) -> None:
    """The last frame writes verdict, event and attempt."""
    late = session_like(str(uuid.uuid4()), subject="f" * 64, created_at=time.time())
    with UnitOfWork(engine) as uow:
        uow.sessions.add(late)
        uow.commit()
    for process in ("worker", "identity", "web"):
        with UnitOfWork(engine_of(process), on_end=Endings(redis)) as uow:
            session = uow.sessions.get(late.id, lock=True)
            assert session is not None
            session.expires_at = 0.0
            session.tick(time.time())
            assert session.ended
            uow.sessions.save(session)  # and rolled back


def test_the_comparison_of_faces_does_its_work(
    engine_of: Callable[[str], Engine], engine: Engine, redis: Redis
) -> None:
    session = session_like(
        str(uuid.uuid4()),
        created_at=time.time(),
        identity=Identity(0.5, samples=[Sample("a", 1.0, 0, 0), Sample("b", 2.0, 0, 0)]),
    )
    with UnitOfWork(engine) as uow:
        uow.sessions.add(session)
        uow.commit()

    class Describes:
        def describe(self, chip: object, enough: object = None) -> object:
            return np.ones(128)

    tools = Tools(redis, engine_of("identity"), Eyes())
    tools.describer = Describes()  # type: ignore[attr-defined]
    for frame_id in ("a", "b"):
        faces.put(redis, session.id, frame_id, encode_chip(np.zeros((150, 150, 3), np.uint8)))
        IdentityWork(tools)(session.id, frame_id, session.expires_at)  # type: ignore[arg-type]
    with UnitOfWork(engine, read_only=True) as uow:
        found = uow.sessions.get(session.id)
    assert found is not None
    assert found.identity is not None
    assert [sample.distance for sample in found.identity.samples] == [0.0, 0.0]


def test_the_clock_does_its_work(
    engine_of: Callable[[str], Engine], engine: Engine, redis: Redis, settings: Settings
) -> None:
    overdue = session_like(str(uuid.uuid4()), subject="f" * 64, created_at=1.0, expires_at=2.0)
    with UnitOfWork(engine) as uow:
        uow.sessions.add(overdue)
        uow.commit()
    own = clock.make_clock(settings, engine_of("clock"))
    assert own._mine()
    for chore in own._chores:
        for at in (time.time(), time.time() + 400 * 86400):
            chore.run(at)  # raises what the role may not
    own._lease.release()
    with UnitOfWork(engine, read_only=True) as uow:
        assert uow.sessions.get(overdue.id) is None, "ended, and purged"


def test_the_events_process_does_its_work(
    start_app: Callable[..., FlaskClient], make_key: MakeKey, engine: Engine, made: dict[str, str], tmp_path: Path
) -> None:
    """From the outbox to an endpoint."""
    endpoint = Endpoint()
    client = start_app()
    redis_url = client.application.extensions["resources"].settings.redis_url
    created = client.post("/api/v1/webhooks", json={"url": endpoint.url}, headers=make_key().headers)
    assert created.status_code == 200, created.json
    log = tmp_path / "events.log"
    events = EventsProcess(
        log, DATABASE_URL=made["events"], REDIS_URL=redis_url, EVENTS_URL=redis_url, WEBHOOKS_PRIVATE="on"
    )
    try:
        live(engine)
        until(lambda: len(endpoint.got) == 3)
        with UnitOfWork(engine, read_only=True) as uow:
            (hook,) = uow.webhooks.all()
        until(lambda: all(d.status == Status.DELIVERED for d in deliveries(engine, hook.id)))
    finally:
        assert events.stop() == 0
        endpoint.shutdown()
        endpoint.server_close()
    assert "permission denied" not in events.log


def deliveries(engine: Engine, webhook_id: str) -> list[Delivery]:
    with UnitOfWork(engine, read_only=True) as uow:
        return uow.webhooks.deliveries(webhook_id, 10)


def test_a_role_may_do_what_its_process_does_and_nothing_else(made: dict[str, str], prefix: str) -> None:
    with psycopg.connect(made["release"].replace("+psycopg", "")) as connection:
        tables = {name for (name,) in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}
        assert tables == {*metadata.tables, "alembic_version"}
        for process, grants in roles.GRANTS.items():
            for table in tables:
                held = {
                    verb
                    for verb in VERBS
                    if connection.execute(
                        "SELECT has_table_privilege(%s, %s, %s)", (f"{prefix}_{process}", table, verb)
                    ).fetchone()
                    == (True,)
                }
                whole = {right for right in grants.get(table, "").split(", ") if right and "(" not in right}
                assert held == whole, (process, table)


@pytest.mark.parametrize(
    ("process", "statement"),
    [
        ("worker", "SELECT * FROM secrets"),
        ("worker", "SELECT * FROM signing_keys"),
        ("worker", "SELECT * FROM api_keys"),
        ("worker", "SELECT * FROM webhooks"),
        ("worker", "INSERT INTO api_keys VALUES ('a', 'b', 'server', 'c', 1, NULL)"),
        ("worker", "DELETE FROM sessions"),
        ("worker", "DELETE FROM audit"),
        ("worker", "SELECT * FROM audit"),
        ("worker", "CREATE TABLE mine (a int)"),
        ("worker", "CREATE TEMPORARY TABLE mine (a int)"),
        ("worker", "ALTER TABLE audit DISABLE TRIGGER ALL"),
        ("worker", "DROP TABLE frames"),
        ("worker", "COPY frames TO PROGRAM 'true'"),
        ("identity", "SELECT * FROM frames"),
        ("identity", "SELECT * FROM secrets"),
        ("clock", "SELECT * FROM secrets"),
        ("clock", "SELECT * FROM api_keys"),
        ("events", "SELECT * FROM sessions"),
        ("events", "SELECT * FROM signing_keys"),
        ("web", "INSERT INTO api_keys VALUES ('a', 'b', 'server', 'c', 1, NULL)"),
        ("web", "UPDATE api_keys SET revoked_at = NULL"),
        ("web", "DELETE FROM audit"),
        ("web", "DELETE FROM signing_keys"),
        ("web", "CREATE ROLE other SUPERUSER"),
    ],
)
def test_what_is_forbidden_fails(made: dict[str, str], process: str, statement: str) -> None:
    with (
        psycopg.connect(made[process].replace("+psycopg", "")) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(statement)


def test_a_release_grants_again_and_leaves_out_roles_that_are_not_there(
    made: dict[str, str], prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for process in roles.GRANTS:
        monkeypatch.delenv(f"{prefix}_{process}_password".upper())
    with psycopg.connect(made["release"].replace("+psycopg", "")) as connection:
        connection.execute(f"GRANT ALL ON secrets TO {prefix}_worker")
        connection.execute(f"REVOKE ALL ON frames FROM {prefix}_worker")
    assert roles.apply(made["release"], prefix) == list(roles.GRANTS)
    test_a_role_may_do_what_its_process_does_and_nothing_else(made, prefix)
    assert roles.apply(made["release"], f"{prefix}_others") == []


def test_psql_takes_the_script(made: dict[str, str], prefix: str) -> None:
    text = roles.script(prefix)
    assert not re.search(r"password", text, re.IGNORECASE)
    command = [str(_binaries() / "psql"), "-X", "-v", "ON_ERROR_STOP=1", made["release"].replace("+psycopg", "")]
    done = subprocess.run(command, input=text, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    test_a_role_may_do_what_its_process_does_and_nothing_else(made, prefix)


def test_bin_release_makes_roles_with_their_passwords_after_the_migrations(postgres_url: str, prefix: str) -> None:
    """With the names that compose.yml uses; a second release changes nothing."""
    environment = os.environ | {
        "DATABASE_URL": postgres_url.replace("+psycopg", ""),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    owner = make_engine(postgres_url)
    try:
        for given, expected in ({}, "none"), ({"LIVENESS_CLOCK_PASSWORD": "of the clock"}, "clock"), ({}, "clock"):
            done = subprocess.run(
                [str(ROOT / "bin" / "release")],
                env=environment | given,
                cwd=ROOT,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stderr
            assert f"roles: {expected}" in done.stdout
        with owner.connect() as connection:
            kept = connection.exec_driver_sql("SELECT rolpassword FROM pg_authid WHERE rolname = 'liveness_clock'")
            assert str(kept.scalar()).startswith("SCRAM-SHA-256$")
    finally:
        with owner.begin() as connection:
            connection.exec_driver_sql("DROP OWNED BY liveness_clock; DROP ROLE liveness_clock")
        owner.dispose()
