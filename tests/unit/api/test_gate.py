"""Who is kept out without asking, and for how long it is remembered."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from api import gate
from api.gate import ASK_AGAIN, Gate


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time."""
    at = [1000.0]
    monkeypatch.setattr("api.gate.time", SimpleNamespace(monotonic=lambda: at[0]))
    return at


def test_a_shut_gate_keeps_everybody_out_for_a_moment(at: list[float]) -> None:
    made = Gate(frames_per_worker=10)
    assert made.is_open
    made.shut()
    assert (made.is_shut, made.is_open, made.keeps_out("a")) == (True, False, True)
    at[0] += 0.0201
    assert (made.is_shut, made.is_open, made.keeps_out("a")) == (False, True, False)


def test_who_was_sent_away_is_kept_out_alone(at: list[float]) -> None:
    made = Gate(frames_per_worker=10)
    made.send_away("a")
    assert (made.is_shut, made.is_open) == (False, False)
    assert (made.keeps_out("a"), made.keeps_out("b")) == (True, False)
    at[0] += ASK_AGAIN
    assert not made.keeps_out("a")


def test_those_that_may_ask_again_are_forgotten(at: list[float]) -> None:
    made = Gate(frames_per_worker=10)
    for number in range(100):
        made.send_away(f"first {number}")
    at[0] += ASK_AGAIN
    for number in range(100):
        made.send_away(f"then {number}")
    assert len(made._waiting) == 100
    at[0] += ASK_AGAIN
    made.send_away("last")
    made.send_away("last")
    assert len(made._waiting) < 100


def test_no_more_are_remembered_than_that(at: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "MOST", 3)
    made = Gate(frames_per_worker=10)
    for number in range(10):
        made.send_away(str(number))
    assert [made.keeps_out(str(number)) for number in range(10)] == [False] * 7 + [True] * 3
