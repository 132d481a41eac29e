"""A connection to PostgreSQL that does not wait for ever.

libpq has no timeout for an answer, and the server's own (statement_timeout) ends with the server: TCP sees nothing wrong
with one whose process is stopped or whose disk does not come back.
"""

from __future__ import annotations

from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen

_T = TypeVar("_T")


class PatientConnection(psycopg.Connection[Any]):
    """psycopg's own, given up after `patience` seconds without an answer."""

    #: Seconds; while connecting, libpq's own connect_timeout holds.
    patience: float = 60.0

    def wait(self, gen: PQGen[_T], interval: float = 0.1, timeout: float | None = None) -> _T:
        """See `psycopg.Connection.wait`; OperationalError where nothing came in time."""
        if timeout is not None:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, self.patience)
        except psycopg.errors._WaitTimeout:  # noqa: SLF001 - what `wait` is documented to raise
            self.pgconn.finish()  # in the middle of an answer: nothing can be asked on it any more
            raise psycopg.OperationalError(f"no answer within {self.patience:g} s") from None
