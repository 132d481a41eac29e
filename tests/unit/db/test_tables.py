"""What would otherwise be lost without a word, when the domain grows."""

from __future__ import annotations

from dataclasses import fields

from shared.db.tables import challenges, sessions
from shared.liveness.challenge import Challenge
from shared.liveness.session import Session


def test_every_field_of_a_session_has_a_column() -> None:
    elsewhere = {"challenges", "frames", "events"}
    assert {field.name for field in fields(Session)} - elsewhere <= set(sessions.c.keys())


def test_every_field_of_a_challenge_has_a_column() -> None:
    assert {field.name for field in fields(Challenge)} <= set(challenges.c.keys())
