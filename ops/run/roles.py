"""Roles in PostgreSQL: each process signs in as a role of its own, which may do no more than the process does.

`python -m ops.run.roles` writes the SQL for an administrator; `--apply` runs it at DATABASE_URL, as the owner of the tables.
`bin/release` applies it after the migrations, so that new tables are granted. Roles are made with the passwords of
LIVENESS_WEB_PASSWORD and so on; without such a variable a role is granted its rights if it exists, and else left out.
Without any role all processes go on as the owner.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import Any, cast

import psycopg
from psycopg import sql
from sqlalchemy.exc import SQLAlchemyError

from ops.run.words import fail, say
from shared.addresses import bare
from shared.db import make_engine
from shared.settings import load_settings_or_exit

DESCRIPTION = """\
Writes the SQL that makes a role in PostgreSQL for each process of the service and grants it what the process needs. With
--apply it runs at DATABASE_URL, which names the tables' owner."""

#: What each process does with each table. Deleting a row deletes the rows that refer to it, without a right of its own.
GRANTS: dict[str, dict[str, str]] = {
    "web": {
        "sessions": "SELECT, INSERT, UPDATE, DELETE",
        "challenges": "SELECT, INSERT, UPDATE",
        "frames": "SELECT",
        "outbox": "SELECT, INSERT",
        "attempts": "SELECT, INSERT",
        "api_keys": "SELECT, UPDATE (last_used_at)",
        "secrets": "SELECT, INSERT",
        "signing_keys": "SELECT, INSERT",
        "webhooks": "SELECT, INSERT, UPDATE, DELETE",
        "webhook_deliveries": "SELECT, INSERT, UPDATE",
        "audit": "INSERT",
        "tombstones": "INSERT",
    },
    "worker": {
        "sessions": "SELECT, UPDATE",
        "challenges": "SELECT, UPDATE",
        "frames": "SELECT, INSERT",
        "outbox": "INSERT",
        "attempts": "INSERT",
    },
    "identity": {
        "sessions": "SELECT, UPDATE",
        "challenges": "SELECT, UPDATE",
        "outbox": "INSERT",
        "attempts": "INSERT",
    },
    "clock": {
        "sessions": "SELECT, UPDATE, DELETE",
        "challenges": "SELECT, UPDATE",
        "frames": "SELECT, DELETE",
        "outbox": "SELECT, INSERT, DELETE",
        "attempts": "SELECT, INSERT, DELETE",
        "webhook_deliveries": "SELECT, DELETE",
        "audit": "SELECT, DELETE",
        "tombstones": "SELECT, DELETE",
        "leases": "SELECT, INSERT, UPDATE, DELETE",
    },
    "events": {
        "outbox": "SELECT, UPDATE",
        #: The secret that seals those of webhooks, where TOKEN_SECRET is not set.
        "secrets": "SELECT, INSERT",
        "webhooks": "SELECT, UPDATE",
        "webhook_deliveries": "SELECT, INSERT, UPDATE",
        "leases": "SELECT, INSERT, UPDATE, DELETE",
    },
}

#: Tables whose rows are numbered by a sequence, which whoever inserts needs.
NUMBERED = ("outbox", "attempts", "audit")

#: Number of the advisory lock under which rights are granted: two at once would fail on the same row of the catalogue.
LOCK = 6_512_977_104

#: Names of roles that need no quotes and fit the variables of their passwords.
PREFIX = re.compile(r"[a-z][a-z0-9_]{0,40}")


def role_of(process: str, prefix: str = "liveness") -> str:
    """The name of a process's role."""
    return f"{prefix}_{process}"


def password_of(process: str, prefix: str = "liveness") -> str | None:
    """The password for a process's role from this process's environment; None if there is none."""
    return bare(os.environ.get(f"{role_of(process, prefix)}_password".upper(), "")) or None


def making(process: str, prefix: str = "liveness") -> Iterator[sql.Composed]:
    """The statements that make a process's role, which can sign in and nothing else."""
    role = role_of(process, prefix)
    yield sql.SQL(
        "DO $$ BEGIN CREATE ROLE {} LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
    ).format(sql.Identifier(role))
    yield sql.SQL("ALTER ROLE {} LOGIN NOINHERIT").format(sql.Identifier(role))


def granting(processes: Iterable[str], prefix: str, database: str | None) -> Iterator[sql.Composed]:
    """The statements that take everything from the processes' roles and give them what they need.

    database: the database's name; None stands for whichever the statements run in, in psql.
    """
    name: sql.Composable = sql.SQL(':"DBNAME"') if database is None else sql.Identifier(database)
    yield sql.SQL("REVOKE CREATE ON SCHEMA public FROM PUBLIC").format()
    yield sql.SQL("REVOKE TEMPORARY ON DATABASE {} FROM PUBLIC").format(name)
    for process in processes:
        role = sql.Identifier(role_of(process, prefix))
        yield sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(name, role)
        yield sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(role)
        yield sql.SQL("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {}").format(role)
        yield sql.SQL("REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM {}").format(role)
        for table, rights in GRANTS[process].items():
            yield sql.SQL("GRANT {} ON {} TO {}").format(sql.SQL(rights), sql.Identifier(table), role)
            if table in NUMBERED and "INSERT" in rights:
                sequence = sql.Identifier(f"{table}_id_seq")
                yield sql.SQL("GRANT USAGE ON SEQUENCE {} TO {}").format(sequence, role)


def script(prefix: str = "liveness") -> str:
    """All of it as SQL for psql, in one transaction. Passwords are not in it: psql's command for passwords sets them."""
    made = [statement for process in GRANTS for statement in making(process, prefix)]
    lines = [f"{statement.as_string(None)};" for statement in [*made, *granting(GRANTS, prefix, None)]]
    return "\n".join(["BEGIN;", *lines, "COMMIT;"])


def apply(url: str, prefix: str = "liveness") -> list[str]:
    """Make the roles that have a password, grant all roles that exist their rights; returns the processes with a role."""
    engine = make_engine(url, pool_size=1)
    try:
        with closing(engine.raw_connection()) as pooled:
            found = _apply(cast("psycopg.Connection[Any]", pooled.driver_connection), prefix)
            pooled.commit()
    finally:
        engine.dispose()
    return found


def _apply(connection: psycopg.Connection[Any], prefix: str) -> list[str]:
    connection.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
    for process in GRANTS:
        password = password_of(process, prefix)
        if password is None:
            continue
        for statement in making(process, prefix):
            connection.execute(statement)
        role = role_of(process, prefix)
        # Hashed here, so that the password stands in no log of the server.
        hashed = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
        connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal(hashed)))
    exist = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}
    found = [process for process in GRANTS if role_of(process, prefix) in exist]
    if found:
        for statement in granting(found, prefix, connection.info.dbname):
            connection.execute(statement)
    return found


def main(arguments: list[str]) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m ops.run.roles", description=DESCRIPTION)
    parser.add_argument("--apply", action="store_true", help="run it at DATABASE_URL")
    parser.add_argument("--prefix", default="liveness", help="of the roles' names, for a second service in one cluster")
    asked = parser.parse_args(arguments)
    if not PREFIX.fullmatch(asked.prefix):
        parser.error("a prefix has small letters, digits and underscores")
    if not asked.apply:
        print(script(asked.prefix))
        return
    url = load_settings_or_exit().database_url
    if not url.startswith("postgresql"):
        say("roles: the database is SQLite, which has none")
        return
    try:
        found = apply(url, asked.prefix)
    except (psycopg.Error, SQLAlchemyError) as error:
        fail(f"The roles were not granted their rights: {error}")
    say(f"roles: {', '.join(found) or 'none; all processes use the owner (docs/deployment.md)'}")


if __name__ == "__main__":
    main(sys.argv[1:])
