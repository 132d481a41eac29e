"""A real PgBouncer in transaction mode before PostgreSQL: each transaction may have another server."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from ops.lab.rig.servers import QuickPostgres
from ops.run import roles
from shared.db import UnitOfWork, make_engine
from shared.db.patient import PatientConnection
from shared.db.trying import try_to_write
from shared.liveness.challenge import ChallengeType
from shared.settings import Settings
from tests.integration import schema
from tests.integration.workers.scripted_worker import Script
from tests.integration.workers.service import Service
from tests.waiting import PATIENCE, until

#: More than psycopg's threshold for preparing a statement, which is 5, on each connection.
OFTEN = 12


@pytest.fixture
def connect(pooled_url: str) -> Iterator[Callable[..., Engine]]:
    engines: list[Engine] = []

    def new(parameters: str = "", **how: float) -> Engine:
        settings = Settings(_env_file=None, database_url=pooled_url + parameters)
        engines.append(make_engine(settings.database_url, **how))
        return engines[-1]

    yield new
    for engine in engines:
        engine.dispose()


def shown(engine: Engine, name: str) -> str:
    with engine.connect() as connection:
        return str(connection.scalar(text(f"SHOW {name}")))


def test_migrations_and_roles_go_through_it(connect, pooled_url, monkeypatch):
    engine = connect()
    schema.upgrade(engine)
    try_to_write(engine)
    monkeypatch.setenv("LIVENESS_POOLED_WEB_PASSWORD", "a-password")
    try:
        assert roles.apply(pooled_url, "liveness_pooled") == ["web"]
    finally:
        with engine.begin() as connection:
            connection.execute(text("DROP OWNED BY liveness_pooled_web"))
            connection.execute(text("DROP ROLE liveness_pooled_web"))


def test_every_transaction_has_its_timeouts_and_leaves_none_behind(connect, pooled_url, pgbouncer):
    engine = connect()
    assert shown(engine, "lock_timeout") == "3s"
    assert shown(engine, "statement_timeout") == "10s"
    assert shown(engine, "idle_in_transaction_session_timeout") == "15s"
    with engine.connect() as connection:
        connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        assert connection.scalar(text("SHOW transaction_isolation")) == "repeatable read"
        assert connection.scalar(text("SHOW transaction_read_only")) == "on"
        assert connection.scalar(text("SHOW lock_timeout")) == "3s"
    # Whoever gets the server's connection next, another application perhaps, finds it as it was.
    with PatientConnection.connect(pooled_url.replace("+psycopg", ""), autocommit=True) as other:
        assert other.execute("SHOW lock_timeout").fetchone() == ("0",)


def test_a_lock_is_not_waited_for_longer_than_that(connect):
    engine = connect()
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE rows (id INTEGER)"))
    with engine.connect() as holder, engine.connect() as waiter:
        holder.execute(text("LOCK TABLE rows"))
        began = time.monotonic()
        with pytest.raises(OperationalError, match="lock timeout"):
            waiter.execute(text("SELECT * FROM rows"))
        assert time.monotonic() - began < 30


def test_the_addresss_own_options_are_sent_and_win(postgres):
    settings = Settings(_env_file=None, database_url=f"{postgres.url}?options=-c%20lock_timeout%3D9s")
    engine = make_engine(settings.database_url)
    assert (shown(engine, "lock_timeout"), shown(engine, "statement_timeout")) == ("9s", "10s")
    engine.dispose()


def often(engine: Engine, _worker: int = 0) -> int:
    total = 0
    for number in range(OFTEN):
        with engine.connect() as connection:
            total += connection.scalar(text("SELECT CAST(:number AS INTEGER)"), {"number": number})
    return total


def prepares(engine: Engine) -> bool:
    with engine.connect() as connection:
        return connection.connection.driver_connection.prepare_threshold is not None


def test_statements_are_not_prepared_behind_it_and_else_they_are(connect, postgres):
    engine = connect(pool_size=8)
    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(lambda worker: often(engine, worker), range(8))) == {sum(range(OFTEN))}
    assert not prepares(engine)
    direct = make_engine(postgres.url)
    assert prepares(direct)
    direct.dispose()


@pytest.mark.parametrize(("chosen", "does"), [("on", True), ("off", False), ("auto", False)])
def test_the_setting_decides(connect, pooled_url, chosen, does):
    settings = Settings(_env_file=None, database_url=pooled_url, database_prepared=chosen)
    engine = make_engine(settings.database_url)
    assert prepares(engine) is does
    engine.dispose()


def test_what_prisma_and_vercel_write_into_the_address_is_left_out(connect):
    assert often(connect("?pgbouncer=true&connection_limit=1&sslmode=prefer&supa=base-pooler.x"))


def test_a_unit_of_work_reads_one_moment(connect, pooled_url, pgbouncer, postgres: QuickPostgres):
    schema.upgrade(connect())
    with UnitOfWork(connect(), read_only=True) as uow:
        assert uow.keys.all() == []


@pytest.mark.slow
def test_whole_sessions_at_once_with_worker_processes(redis_url, pooled_url, tmp_path):
    service = Service(redis_url, tmp_path, prepare=schema.upgrade, database_url=pooled_url)
    try:
        service.start_workers(2)
        sessions = [service.open(ChallengeType.TURN_LEFT, ChallengeType.BLINK, timeout=PATIENCE) for _ in range(4)]
        for _ in range(OFTEN):
            for sent in [service.send(session, Script()) for session in sessions]:
                sent.result()

        def is_live(session: str) -> bool:
            service.send(session, Script(passes=True)).result()
            kept = service.session(session)
            return kept is not None and bool(kept.is_live)

        for session in sessions:
            until(lambda session=session: is_live(session))
        assert "frame.not_judged" not in service.logs
    finally:
        service.close()
