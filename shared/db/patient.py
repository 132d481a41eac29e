"""A connection to PostgreSQL that does not wait for ever.

libpq has no timeout for an answer. The server's own (statement_timeout) does not work in a server that is stopped or whose
disk hangs, and TCP sees nothing wrong with such a server.
"""

from __future__ import annotations

from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen

_T = TypeVar("_T")


class PatientConnection(psycopg.Connection[Any]):
    """psycopg's connection, closed after `patience` seconds without an answer."""

    #: Seconds to wait for an answer; libpq's connect_timeout applies while connecting.
    patience: float = 60.0

    def wait(self, gen: PQGen[_T], interval: float = 0.1, timeout: float | None = None) -> _T:
        """See `psycopg.Connection.wait`; raises OperationalError if no answer came in time."""
        if timeout is not None:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, self.patience)
        except psycopg.errors._WaitTimeout:  # noqa: SLF001 - `wait` is documented to raise it
            self.pgconn.finish()  # in the middle of an answer the connection cannot be used again
            raise psycopg.OperationalError(f"no answer within {self.patience:g} s") from None
