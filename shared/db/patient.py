"""A connection to PostgreSQL that does not wait for ever, also not through a pooler.

libpq has no timeout for an answer. The server's own (statement_timeout) does not work in a server that is stopped or whose
disk hangs, and TCP sees nothing wrong with such a server.
"""

from __future__ import annotations

from typing import Any, TypeVar

import psycopg
from psycopg import generators
from psycopg.abc import PQGen
from psycopg.pq import ExecStatus, TransactionStatus

_T = TypeVar("_T")


class PatientConnection(psycopg.Connection[Any]):
    """psycopg's connection, closed after `patience` seconds without an answer."""

    #: Seconds to wait for an answer; libpq's connect_timeout applies while connecting.
    patience: float = 60.0
    #: Statements that are sent with each transaction's BEGIN, in the same round trip.
    begins_with: bytes = b""

    def is_pooled(self) -> bool:
        """Whether a pooler stands between: the server's process is then another than the one that greeted us.

        To be asked before anything else is; it begins no transaction.
        """
        autocommit, self.autocommit = self.autocommit, True
        try:
            row = self.execute("SELECT pg_backend_pid()").fetchone()
        finally:
            if not self.closed:
                self.autocommit = autocommit
        return row is None or row[0] != self.info.backend_pid

    def _start_query(self) -> PQGen[None]:
        """See `psycopg.Connection`, which begins a transaction here if none is under way."""
        if self.autocommit or not self.begins_with or self.pgconn.transaction_status != TransactionStatus.IDLE:
            yield from super()._start_query()
            return
        self._check_connection_ok()
        self.pgconn.send_query(self._get_tx_start_command() + b"; " + self.begins_with)
        for result in (yield from generators.execute(self.pgconn)):
            if result.status != ExecStatus.COMMAND_OK:
                raise psycopg.errors.error_from_result(result, encoding=self.pgconn._encoding)  # noqa: SLF001 - as psycopg

    def wait(self, gen: PQGen[_T], interval: float = 0.1, timeout: float | None = None) -> _T:
        """See `psycopg.Connection.wait`; raises OperationalError if no answer came in time."""
        if timeout is not None:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, self.patience)
        except psycopg.errors._WaitTimeout:  # noqa: SLF001 - `wait` is documented to raise it
            self.pgconn.finish()  # in the middle of an answer the connection cannot be used again
            raise psycopg.OperationalError(f"no answer within {self.patience:g} s") from None
