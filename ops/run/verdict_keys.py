"""Lists and rotates the keys that verdicts are signed with; the code of `ops/verdict-keys`."""

from __future__ import annotations

import argparse
import sys
import time

from sqlalchemy.exc import SQLAlchemyError

from api import signing_keys
from api.secret import RootSecret
from ops.run.keys import day
from ops.run.words import fail
from shared.db import UnitOfWork, make_engine
from shared.settings import load_settings_or_exit

DESCRIPTION = """\
Lists and rotates the keys that verdicts are signed with. Run it with the service's own DATABASE_URL and TOKEN_SECRET."""


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
    asked = parser.parse_args(arguments)
    settings = load_settings_or_exit()
    engine = make_engine(settings.database_url, pool_size=1)
    try:
        if asked.command == "rotate":
            secret = RootSecret(lambda: engine, settings.token_secret)
            key = signing_keys.rotate(engine, secret, time.time(), 0 if asked.now else signing_keys.NOTICE)
            print(f"{key.kid} signs from {day(key.signs_from)}")
            return
        with UnitOfWork(engine, read_only=True) as uow:
            for key in uow.signing_keys.all():
                print(f"{key.kid}  made {day(key.created_at)}  signs from {day(key.signs_from)}")
    except SQLAlchemyError as error:
        fail(f"The database (DATABASE_URL) does not answer, or has not been migrated; ops/up does that. ({error})")
    finally:
        engine.dispose()


if __name__ == "__main__":
    main(sys.argv[1:])
