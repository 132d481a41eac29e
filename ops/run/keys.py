"""Creates, lists and revokes API keys in the database that DATABASE_URL names; the code of `ops/keys`.

A new key is the only thing written to standard output, so that `KEY=$(ops/keys create)` works. It is shown this once; the
database has only its hash.
"""

from __future__ import annotations

import argparse
import re
import sys
import time

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from api.keyring import FRESH
from api.open_mode import remember_closed
from ops.run.words import fail
from shared import api_keys
from shared.api_keys import Key, Role
from shared.db import UnitOfWork, make_engine
from shared.settings import load_settings_or_exit

DESCRIPTION = """\
Creates, lists and revokes the API keys of a service; DATABASE_URL (or a line of .env) names its database. Once a key
exists, the service asks every client for one; revoking the last key does not open it again."""


def main(arguments: list[str]) -> None:
    """Run the command line."""
    asked = parse(arguments)
    settings = load_settings_or_exit()
    engine = make_engine(settings.database_url, pool_size=1)
    try:
        if asked.command == "create":
            create(engine, asked.name, Role(asked.role))
            remember_closed(settings)
        elif asked.command == "list":
            show(engine)
        else:
            revoke(engine, asked.key)
    except SQLAlchemyError as error:
        fail(f"The database (DATABASE_URL) does not answer, or has not been migrated; ops/up does that. ({error})")
    finally:
        engine.dispose()


def parse(arguments: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="ops/keys", description=DESCRIPTION)
    commands = parser.add_subparsers(dest="command", required=True)
    new = commands.add_parser("create", help="create a key and write it to standard output, this once")
    new.add_argument(
        "--role",
        choices=[role.value for role in Role],
        default=Role.SERVER.value,
        help="server (default): for your backend, may do everything; client: for an app on people's devices, may create "
        "sessions and submit frames, and not read evidence",
    )
    new.add_argument("--name", default="", type=fit_name, help="what uses the key; shown only by ops/keys list")
    commands.add_parser("list", help="list all keys, without their secrets")
    old = commands.add_parser("revoke", help="make a key invalid")
    old.add_argument("key", type=fit_id, help="the key's id, as ops/keys list shows it, or the whole key")
    return parser.parse_args(arguments)


def fit_name(text: str) -> str:
    """Check a name: one line. Raises ArgumentTypeError."""
    if len(text) > 100 or not text.isprintable():
        raise argparse.ArgumentTypeError("a name has at most 100 printable characters")
    return text


def fit_id(text: str) -> str:
    """The id of a key, from the id itself or from the whole key. Raises ArgumentTypeError."""
    found = api_keys.id_of(text) or (text if re.fullmatch(r"[0-9a-f]{12}", text) else None)
    if found is None:
        raise argparse.ArgumentTypeError(
            "not the id of a key: twelve characters from 0 to 9 and a to f, see ops/keys list"
        )
    return found


def create(engine: Engine, name: str, role: Role) -> None:
    """Create a key and print it."""
    given, key = api_keys.make(name, role, time.time())
    with UnitOfWork(engine) as uow:
        first = not uow.keys.all()
        uow.keys.add(key)
        uow.commit()
    print(f"A key of the role {role}, with the id {key.id}. It is not shown again; keep it safe:", file=sys.stderr)
    print(given)
    if first:
        print(
            f"It is the first key: within {FRESH:.0f} s the service asks every client for one. A service that was open "
            "listens on this machine only, until it is started anew.",
            file=sys.stderr,
        )


def show(engine: Engine) -> None:
    """List the keys."""
    with UnitOfWork(engine, read_only=True) as uow:
        found = uow.keys.all()
    if not found:
        print("No key has been made.", file=sys.stderr)
    for key in found:
        print(line(key))


def line(key: Key) -> str:
    """A key's line of the list."""
    state = "valid" if key.revoked_at is None else f"revoked {day(key.revoked_at)}"
    return f"{key.id}  {key.role.value:<6}  made {day(key.created_at)}  {state:<26}  {key.name}".rstrip()


def day(at: float) -> str:
    """A Unix time, to the minute, in UTC."""
    return time.strftime("%Y-%m-%d %H:%MZ", time.gmtime(at))


def revoke(engine: Engine, key_id: str) -> None:
    """Revoke a key."""
    with UnitOfWork(engine) as uow:
        done = uow.keys.revoke(key_id, time.time())
        uow.commit()
    if not done:
        fail(f"There is no valid key with the id {key_id}; ops/keys list shows all.")
    print(f"Revoked. Every web process refuses it within {FRESH:.0f} s.", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1:])
