from __future__ import annotations

import time

import pytest

from shared.redis import timekeeping
from shared.redis.timekeeping import EVERY, SLEW, Keeping, Timekeeper


class Server:
    """Redis, as far as it tells the time: `ahead` seconds from ours, after `slow` seconds of thought."""

    def __init__(self, ahead: float = 0.0, slow: float = 0.0) -> None:
        self.ahead, self.slow = ahead, slow
        self.asked = 0

    def time(self) -> tuple[int, int]:
        self.asked += 1
        time.sleep(self.slow)
        at = time.time() + self.ahead
        return int(at), int(at % 1 * 1e6)


class Steady:
    """The steady clock, under our hand."""

    def __init__(self) -> None:
        self.gone = 0.0

    def __call__(self) -> float:
        return 1000.0 + self.gone


@pytest.fixture
def steady(monkeypatch):
    steady = Steady()
    monkeypatch.setattr(timekeeping, "_steady", steady)
    return steady


def test_before_redis_was_asked_it_is_this_machines_time():
    assert Timekeeper().now() == pytest.approx(time.time(), abs=0.05)


def test_redis_time_is_taken_over_at_once_the_first_time():
    keeper = Timekeeper()
    keeper.look(Server(ahead=-3600))
    assert keeper.now() == pytest.approx(time.time() - 3600, abs=0.05)


def test_this_machines_clock_is_set_and_time_goes_on(monkeypatch):
    keeper = Timekeeper()
    keeper.look(Server())
    before, real = keeper.now(), time.time
    monkeypatch.setattr(time, "time", lambda: real() + 3600)
    assert 0 <= keeper.now() - before < 1


@pytest.mark.parametrize("jump", [60.0, -60.0])
def test_a_jump_of_redis_clock_is_followed_slowly(steady, jump):
    keeper, server = Timekeeper(), Server()
    keeper.look(server)
    began = keeper.now()
    server.ahead = jump
    for _ in range(10):
        before = keeper.now()
        steady.gone += EVERY
        keeper.look(server)
        # It never stands still nor goes back, and a second is a second but for a twentieth.
        assert EVERY * (1 - SLEW) - 0.01 <= keeper.now() - before <= EVERY * (1 + SLEW) + 0.01
    assert keeper.now() - began == pytest.approx(10 * EVERY * (1 + (SLEW if jump > 0 else -SLEW)), abs=0.1)


def test_small_differences_are_put_right_at_once(steady):
    keeper, server = Timekeeper(), Server()
    keeper.look(server)
    steady.gone += EVERY
    server.ahead = EVERY + 0.1  # `Server` goes by the real clock, which has not moved
    keeper.look(server)
    assert keeper.now() == pytest.approx(time.time() + server.ahead, abs=0.02)


def test_an_answer_that_took_long_tells_nothing(monkeypatch):
    keeper = Timekeeper()
    keeper.look(Server())
    before = keeper._offset
    keeper.look(Server(ahead=60, slow=timekeeping.PRECISE + 0.05))
    assert keeper._offset == before


def test_it_is_kept_until_it_is_closed(monkeypatch):
    monkeypatch.setattr(timekeeping, "EVERY", 0.02)
    server = Server(ahead=5)
    keeper = Timekeeper()
    keeping = Keeping(keeper, server)
    assert keeper.now() == pytest.approx(time.time() + 5, abs=0.05)  # known before the thread has run
    keeping.start()
    until = time.monotonic() + 2
    while server.asked < 4 and time.monotonic() < until:
        time.sleep(0.01)
    keeping.close()
    asked = server.asked
    assert asked >= 4
    time.sleep(0.1)
    assert server.asked == asked
