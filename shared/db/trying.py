"""Tries whether the database takes what the service writes, and says in words why it does not."""

from __future__ import annotations

import re
import uuid

from sqlalchemy import Engine, delete, insert

from shared.db.engine import SQLITE_BEGIN
from shared.db.tables import sessions


def try_to_write(engine: Engine) -> None:
    """Create a session and delete it in one transaction, which nobody sees. Raises a SQLAlchemyError.

    A standby, a full disk and a role without rights answer what only reads.
    """
    own_id = f"tried-{uuid.uuid4().hex[:30]}"
    row = {"state": "expired", "mirrored": False, "created_at": 0.0, "expires_at": 0.0, "preset": "standard"}
    with engine.connect() as connection:
        connection.execution_options(**{SQLITE_BEGIN: "IMMEDIATE"})
        connection.execute(insert(sessions).values(id=own_id, **row))
        connection.execute(delete(sessions).where(sessions.c.id == own_id))
        connection.commit()


#: What a database says in an error, and what that means; the first that fits.
_WORDS = (
    (r"read-only transaction|readonly database", "takes no writes: it is a standby, or it is locked or full"),
    (r"No space left|disk is full|disk full|DiskFull", "has no room left on its disk"),
    (r"no such table|no column named|UndefinedTable|UndefinedColumn", "has not been migrated: run bin/release"),
    (r"permission denied|InsufficientPrivilege", "does not let this role write"),
    (r"password authentication failed|role .* does not exist|no pg_hba.conf entry", "refuses the user or the password"),
    (r"database .* does not exist|no such database", "has no database of this name"),
    (r"too many connections|too many clients|remaining connection slots|QueuePool limit", "has no connection left"),
    (r"database is locked|LockNotAvailable", "is held by another transaction"),
    (r"unable to open database file", "cannot be opened: see its directory and its rights"),
)


def what_ails(error: Exception) -> str:
    """The end of a sentence that begins with the database, such as "has no room left …"; holds nothing that it said."""
    text = f"{type(getattr(error, 'orig', None)).__name__} {error}"
    return next((words for pattern, words in _WORDS if re.search(pattern, text)), "does not answer")
