"""Lists, rotates and revokes the keys that verdicts are signed with; the code of `ops/verdict-keys`."""

from __future__ import annotations

import argparse
import sys

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from api import signing_keys
from ops.run.keys import day, entry_of
from ops.run.words import fail
from shared.db import UnitOfWork, make_engine
from shared.db.root_secret import RootSecret
from shared.db.signing_keys import SigningKey
from shared.db.trail import Action
from shared.settings import load_settings_or_exit

DESCRIPTION = """\
Lists, rotates and revokes the keys that verdicts are signed with. Run it with the service's own
DATABASE_URL and TOKEN_SECRET."""


def main(arguments: list[str]) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="ops/verdict-keys", description=DESCRIPTION)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="list the keys, without their private halves")
    new = commands.add_parser(
        "rotate", help=f"create the next key, which signs {signing_keys.NOTICE // 60} minutes from now on"
    )
    new.add_argument(
        "--now", action="store_true", help="let the new key sign at once, because others know the present one"
    )
    old = commands.add_parser("revoke", help="make a key, and all verdicts signed by it, invalid at once")
    old.add_argument("kid", help="the key's id, as `list` shows it; or the start of it")
    asked = parser.parse_args(arguments)
    settings = load_settings_or_exit()
    engine = make_engine(settings.database_url, pool_size=1)
    try:
        secret = RootSecret(lambda: engine, settings.token_secret)
        if asked.command == "rotate":
            entry = entry_of("ops/verdict-keys", Action.VERDICT_KEY_ROTATED)
            key = signing_keys.rotate(engine, secret, entry.at, 0 if asked.now else signing_keys.NOTICE, entry=entry)
            print(f"{key.kid} signs from {day(key.signs_from)}")
        elif asked.command == "revoke":
            revoke(engine, secret, asked.kid)
        else:
            for key in keys(engine):
                state = "" if key.revoked_at is None else f"  revoked {day(key.revoked_at)}"
                print(f"{key.kid}  made {day(key.created_at)}  signs from {day(key.signs_from)}{state}")
    except SQLAlchemyError as error:
        fail(f"The database (DATABASE_URL) does not answer, or has not been migrated; ops/up does that. ({error})")
    finally:
        engine.dispose()


def keys(engine: Engine) -> list[SigningKey]:
    """All keys, in the order in which they sign."""
    with UnitOfWork(engine, read_only=True) as uow:
        return uow.signing_keys.all()


def revoke(engine: Engine, secret: RootSecret, start: str) -> None:
    """Revoke the one key whose id starts with `start`."""
    found = [key for key in keys(engine) if key.kid.startswith(start) and key.revoked_at is None]
    if len(found) != 1:
        fail(f"{len(found)} unrevoked keys have an id that starts so; ops/verdict-keys list shows all.")
    entry = entry_of("ops/verdict-keys", Action.VERDICT_KEY_REVOKED)
    signing_keys.revoke(engine, secret, found[0].kid, entry.at, entry=entry)
    print(
        f"{found[0].kid} is revoked. It has left /.well-known/jwks.json, which caches may keep for "
        f"{signing_keys.REMEMBERED // 60} minutes; tell the relying parties.",
    )


if __name__ == "__main__":
    main(sys.argv[1:])
