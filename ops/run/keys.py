"""Creates, lists, rotates and revokes API keys in the database that DATABASE_URL names; the code of `ops/keys`.

A new key is the only thing written to standard output, so that `KEY=$(ops/keys create)` works. It is shown this once; the
database has only its hash.
"""

from __future__ import annotations

import argparse
import getpass
import os
import re
import sys
import time
from dataclasses import replace

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from api.keyring import FRESH
from api.open_mode import remember_closed
from ops.run.words import fail
from shared import api_keys
from shared.api_keys import Key, Role
from shared.db import UnitOfWork, make_engine
from shared.db.trail import Action, Entry
from shared.policy import Policy
from shared.settings import load_settings_or_exit

DESCRIPTION = """\
Creates, lists, rotates and revokes the API keys of a service; DATABASE_URL (or a line of .env) names its database. Once a
key exists, the service asks every client for one; revoking the last key does not open it again."""

#: Seconds for which the former secret of a rotated key works, unless the command says otherwise.
OVERLAP = 86400.0

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_TIMES = "a number and s, m, h, d or w, as in 24h"


def main(arguments: list[str]) -> None:
    """Run the command line."""
    asked = parse(arguments)
    settings = load_settings_or_exit()
    engine = make_engine(settings.database_url, pool_size=1)
    try:
        if asked.command == "create":
            create(engine, asked.name, Role(asked.role), asked.expires, asked.policy)
            remember_closed(settings)
        elif asked.command == "list":
            show(engine)
        elif asked.command == "rotate":
            rotate(engine, asked.key, asked.overlap, asked.expires)
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
    new.add_argument(
        "--policy",
        type=fit_policy,
        help='bounds of what the key may ask for, such as "preset=strict.. num_challenges=3..5", or any; default: those '
        "of the settings (docs/access.md)",
    )
    new.add_argument(
        "--expires", type=period, metavar="TIME", help=f"time until the key expires: {_TIMES}; default: never"
    )
    commands.add_parser("list", help="list all keys, without their secrets")
    again = commands.add_parser(
        "rotate", help="give a key another secret and write the new key to standard output, this once"
    )
    again.add_argument("key", type=fit_id, help="the key's id, as ops/keys list shows it, or the whole key")
    again.add_argument(
        "--overlap",
        type=period,
        default=OVERLAP,
        metavar="TIME",
        help=f"time for which the former secret works too, {_TIMES}, or 0; default: 24h",
    )
    again.add_argument("--expires", type=period, metavar="TIME", help="time until the key expires; default: as before")
    old = commands.add_parser("revoke", help="make a key invalid")
    old.add_argument("key", type=fit_id, help="the key's id, as ops/keys list shows it, or the whole key")
    return parser.parse_args(arguments)


def period(text: str) -> float:
    """A time such as 30m, 24h or 90d in seconds. Raises ArgumentTypeError."""
    found = re.fullmatch(r"(\d{1,5})([smhdw])|0", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"must be {_TIMES}")
    return float(found[1]) * _UNITS[found[2]] if found[1] else 0.0


def fit_name(text: str) -> str:
    """Check a name: one line. Raises ArgumentTypeError."""
    if len(text) > 100 or not text.isprintable():
        raise argparse.ArgumentTypeError("a name has at most 100 printable characters")
    return text


def fit_policy(text: str) -> str:
    """Check a policy: it can be met, also beside POLICY. Raises ArgumentTypeError."""
    settings = load_settings_or_exit()
    try:
        _ = Policy.parse(text, settings.preset) & Policy.parse(settings.policy, settings.preset)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def fit_id(text: str) -> str:
    """The id of a key, from the id itself or from the whole key. Raises ArgumentTypeError."""
    found = api_keys.id_of(text) or (text if re.fullmatch(r"[0-9a-f]{12}", text) else None)
    if found is None:
        raise argparse.ArgumentTypeError(
            "not the id of a key: twelve characters from 0 to 9 and a to f, see ops/keys list"
        )
    return found


def create(engine: Engine, name: str, role: Role, expires: float | None, policy: str | None) -> None:
    """Create a key and print it. expires: seconds until it expires; None: never."""
    entry = entry_of("ops/keys", Action.KEY_CREATED)
    given, key = api_keys.make(name, role, entry.at, None if expires is None else entry.at + expires)
    key = replace(key, policy=policy)
    with UnitOfWork(engine) as uow:
        first = not uow.keys.all()
        uow.keys.add(key)
        uow.trail.add(replace(entry, target=key.id))
        uow.commit()
    print(f"A key of the role {role}, with the id {key.id}. It is not shown again; keep it safe:", file=sys.stderr)
    print(given)
    if first:
        print(
            f"It is the first key: within {FRESH:.0f} s the service asks every client for one. A service that was open "
            "listens on this machine only, until it is started again.",
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
    policy = "" if key.policy is None else f"  [{key.policy}]"
    if key.revoked_at is not None:
        state = f"revoked {day(key.revoked_at)}"
    elif key.expires_at is None:
        state = "valid"
    else:
        state = f"{'expires' if key.valid(time.time()) else 'expired'} {day(key.expires_at)}"
    used = "never used" if key.last_used_at is None else f"used {day(key.last_used_at)}"
    if key.revoked_at is None and key.former_until is not None and key.former_until > time.time():
        used += f", former secret until {day(key.former_until)}"
    facts = f"{key.id}  {key.role.value:<6}  made {day(key.created_at)}  {state:<26}  {used:<22}  {key.name}{policy}"
    return facts.rstrip()


def day(at: float) -> str:
    """A Unix time, to the minute, in UTC."""
    return time.strftime("%Y-%m-%d %H:%MZ", time.gmtime(at))


def rotate(engine: Engine, key_id: str, overlap: float, expires: float | None) -> None:
    """Give a key another secret and print the key. overlap, expires: seconds from now; expires None: as before."""
    entry = entry_of("ops/keys", Action.KEY_ROTATED, key_id)
    with UnitOfWork(engine) as uow:
        key = next((key for key in uow.keys.all() if key.id == key_id and key.revoked_at is None), None)
        if key is None:
            fail(f"There is no valid key with the id {key_id}; ops/keys list shows all.")
        if expires is None and not key.valid(entry.at):
            fail("The key has expired: say with --expires how long the new secret is valid.")
        expires_at = key.expires_at if expires is None else entry.at + expires
        given, key = api_keys.rotate(key, entry.at, overlap, expires_at)
        uow.keys.rotate(key)
        uow.trail.add(entry)
        uow.commit()
    print(f"The key {key.id} with another secret. It is not shown again; keep it safe:", file=sys.stderr)
    print(given)
    print(f"The former secret works until {day(key.former_until or entry.at)}.", file=sys.stderr)


def revoke(engine: Engine, key_id: str) -> None:
    """Revoke a key."""
    entry = entry_of("ops/keys", Action.KEY_REVOKED, key_id)
    with UnitOfWork(engine) as uow:
        done = uow.keys.revoke(key_id, entry.at)
        if done:
            uow.trail.add(entry)
        uow.commit()
    if not done:
        fail(f"There is no valid key with the id {key_id}; ops/keys list shows all.")
    print(f"Revoked. Every web process refuses it within {FRESH:.0f} s.", file=sys.stderr)


def entry_of(command: str, action: Action, target: str | None = None) -> Entry:
    """The entry of the audit trail for an act of the operator, with the account that runs the command."""
    try:
        account = getpass.getuser()
    except (KeyError, OSError):  # an account without a name, as in containers
        account = str(os.getuid())
    return Entry(time.time(), action, "", "operator", None, "command line", f"{command} by {account}"[:128], target)


if __name__ == "__main__":
    main(sys.argv[1:])
