"""What the root secret has sealed."""

from __future__ import annotations

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine

from shared.db.root_secret import RootSecret


def no_engine() -> Engine:
    raise AssertionError("a secret that is given needs no database")


def given(secret: str) -> RootSecret:
    return RootSecret(no_engine, SecretStr(secret))


@pytest.mark.parametrize("around", ["{}\n", "{}\r\n", "{} ", '"{}"', "'{}'", '"{}"\n'])
def test_what_was_sealed_while_more_than_the_secret_counted_as_it_is_unsealed(around: str) -> None:
    sealed = given(around.format("s" * 32)).seal("keys", b"clear", "owner")
    assert given("s" * 32).unseal("keys", sealed, "owner") == b"clear"


def test_nothing_else_is() -> None:
    sealed = given("s" * 32).seal("keys", b"clear", "owner")
    assert given("t" * 32).unseal("keys", sealed, "owner") is None
    assert given("s" * 32).unseal("keys", sealed, "another") is None
    assert given("s" * 32).unseal("others", sealed, "owner") is None
