"""A PostgreSQL that hangs: its process is stopped, which TCP does not notice."""

from __future__ import annotations

import os
import signal
import time

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from shared.db import make_engine


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except PermissionError:  # the server runs under an account of its own, the tests do not run as root
        pytest.skip("its process cannot be stopped from here")


def test_a_statement_is_given_up_and_its_connection_with_it(postgres_url):
    engine = make_engine(postgres_url, patience=0.5)
    with engine.connect() as connection:
        backend = connection.scalar(text("SELECT pg_backend_pid()"))
        _signal(backend, signal.SIGSTOP)
        try:
            began = time.monotonic()
            with pytest.raises(OperationalError, match="no answer within"):
                connection.execute(text("SELECT 1"))
            assert time.monotonic() - began < 10
        finally:
            _signal(backend, signal.SIGCONT)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT pg_backend_pid()")) != backend
    engine.dispose()


def test_one_that_hung_while_its_connection_rested_in_the_pool(postgres_url):
    """Taking it out of the pool asks it first: that ends as well, and a new connection does the work."""
    engine = make_engine(postgres_url, pool_size=1, patience=0.5)
    with engine.connect() as connection:
        backend = connection.scalar(text("SELECT pg_backend_pid()"))
    _signal(backend, signal.SIGSTOP)
    try:
        began = time.monotonic()
        with engine.connect() as connection:
            assert connection.scalar(text("SELECT pg_backend_pid()")) != backend
        assert time.monotonic() - began < 10
    finally:
        _signal(backend, signal.SIGCONT)
    engine.dispose()


def test_what_is_merely_slow_is_waited_for(postgres_url):
    engine = make_engine(postgres_url, patience=1.0)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT 7 FROM pg_sleep(0.6)")) == 7
    engine.dispose()
