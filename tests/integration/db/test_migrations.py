from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect, select, text, update
from sqlalchemy.exc import SQLAlchemyError

from shared.db import UnitOfWork, codec
from shared.db.tables import metadata, sessions
from shared.db.trying import try_to_write
from shared.liveness.evidence import Code, Finding
from shared.liveness.held import Held
from shared.liveness.terms import NO_TERMS
from tests.integration import schema
from tests.unit.db import samples

ALL = {*metadata.tables, "alembic_version"}


def test_up_and_down_and_up_again(empty: Engine) -> None:
    schema.upgrade(empty)
    assert set(inspect(empty).get_table_names()) == ALL
    schema.downgrade(empty)
    assert set(inspect(empty).get_table_names()) == {"alembic_version"}
    schema.upgrade(empty)
    assert set(inspect(empty).get_table_names()) == ALL


def test_sessions_from_before_scores_are_read_and_what_they_held_is_to_be_examined_anew(empty: Engine) -> None:
    """0009 adds two columns; rows of an earlier version, and its workers' rows afterwards, have nothing in them."""
    schema.upgrade(empty)
    ended, going = samples.full(), samples.pending()
    going.identity = samples.identity()
    with UnitOfWork(empty) as uow:
        for session in (ended, going):
            uow.sessions.add(session)
        uow.commit()
    schema.downgrade(empty, "0008")
    assert not {"score", "held"} & {column["name"] for column in inspect(empty).get_columns("sessions")}
    schema.upgrade(empty)
    identity = codec.plain(going.identity) | {"held": {"at": samples.NOW + 3, "confidence": 0.75}}
    with empty.begin() as connection:
        assert connection.execute(select(sessions.c.score, sessions.c.held)).all() == [(None, None)] * 2
        connection.execute(update(sessions).where(sessions.c.id == going.id).values(identity=identity))
    schema.upgrade(empty)
    with UnitOfWork(empty) as uow:
        assert replace(uow.sessions.get(ended.id), events=[]) == replace(
            ended, score=None, held=None, passive=None, terms=NO_TERMS, browser=None, events=[]
        )
        found = uow.sessions.get(going.id, lock=True)
        assert (found.score, found.held) == (None, Held(samples.NOW + 3, 0.75, (Finding(Code.UNSEEN, 1.0),)))
        uow.sessions.save(found)
        uow.commit()
    with UnitOfWork(empty) as uow:
        assert uow.sessions.get(going.id).held == found.held


def test_keys_webhooks_and_entries_from_before_0010_are_read(empty: Engine) -> None:
    """Rows of the version before, which its processes go on writing during a rolling deployment."""
    schema.upgrade(empty, "0009")
    rows = {
        "api_keys": {"id": "k", "name": "", "role": "server", "digest": "d", "created_at": 1.0},
        "signing_keys": {"kid": "k", "public": "{}", "sealed": b"", "created_at": 1.0, "signs_from": 1.0},
        "webhooks": {
            "id": "w", "url": "https://example.org", "types": "[]", "secret": "whsec_AAAA", "created_at": 1.0,
            "enabled": True,
        },
        "webhook_deliveries": {
            "id": "d", "webhook_id": "w", "event_id": "e", "event": '{"id": "e"}', "status": "pending", "attempts": 0,
            "created_at": 1.0, "next_at": 1.0,
        },
        "audit": {
            "at": 1.0, "action": "session.created", "session_id": "s", "who": "server", "network": "", "request_id": "r"
        },
    }  # fmt: skip

    def write(suffix: str) -> None:
        with empty.begin() as connection:
            for table, row in rows.items():
                values = {
                    name: value + suffix if name in ("id", "kid", "webhook_id", "event_id") else value
                    for name, value in row.items()
                }
                names = ", ".join(values)
                places = ", ".join(
                    f"CAST(:{name} AS jsonb)" if name in ("public", "types", "event") and empty.dialect.name == "postgresql"
                    else f":{name}"
                    for name in values
                )  # fmt: skip
                connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({places})"), values)

    write("1")
    schema.upgrade(empty)
    with empty.begin() as connection:
        connection.execute(text("UPDATE webhooks SET failing_since = 2.0"))  # as a process of the version before does
    write("2")
    with UnitOfWork(empty) as uow:
        assert [(key.valid(5.0), key.last_used_at, key.former_digest) for key in uow.keys.all()] == [
            (True, None, None)
        ] * 2
        assert [key.revoked_at for key in uow.signing_keys.all()] == [None] * 2
        assert [(hook.failures, hook.paused_until) for hook in uow.webhooks.all()] == [(0, None)] * 2
        assert sorted(uow.webhooks.due(5.0, 4, 60.0)) == ["d1", "d2"]
        assert [entry.target for entry in uow.trail.of("s")] == [None] * 2


def test_the_migrated_schema_is_the_models(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_what_alembic_does_not_compare_is_the_models_too(engine: Engine) -> None:
    """Conditions of indexes, what a foreign key does on delete, and SQLite's AUTOINCREMENT."""
    migrated = shape(engine)
    with engine.begin() as connection:
        metadata.drop_all(connection)
        metadata.create_all(connection)
    assert migrated == shape(engine)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_foreign_keys_are_on_again_after_a_migration(empty: Engine) -> None:
    schema.upgrade(empty)
    with empty.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


def test_writing_wants_a_migrated_database(empty: Engine) -> None:
    with pytest.raises(SQLAlchemyError):
        try_to_write(empty)
    schema.upgrade(empty)
    try_to_write(empty)


def test_by_command_line_twice_at_once(empty: Engine, url: str) -> None:
    """As two releases at once would: both succeed, and it is done once."""
    command = [sys.executable, "-m", "alembic", "-c", str(schema.INI), "upgrade", "head"]
    environment = {**os.environ, "DATABASE_URL": url}
    both = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for _ in range(2)
    ]
    for process in both:
        output, _ = process.communicate(timeout=60)
        assert process.returncode == 0, output
    with UnitOfWork(empty) as uow:
        uow.sessions.add(samples.pending())
        uow.commit()


def shape(engine: Engine) -> object:
    """All that the database tells of its tables."""
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            indexes = connection.exec_driver_sql(
                "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY name"
            ).all()
            counted = connection.exec_driver_sql(
                "SELECT name FROM sqlite_master WHERE sql LIKE '%AUTOINCREMENT%' ORDER BY name"
            ).all()
    else:
        with engine.connect() as connection:
            indexes = connection.exec_driver_sql(
                "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY indexname"
            ).all()
            counted = connection.exec_driver_sql(
                "SELECT table_name, column_name, column_default FROM information_schema.columns"
                " WHERE column_default IS NOT NULL ORDER BY 1, 2"
            ).all()
    keys = {name: inspect(engine).get_foreign_keys(name) for name in metadata.tables}
    return indexes, counted, keys
