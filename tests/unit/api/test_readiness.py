"""How often and how long the parts are asked, however many ask for /readyz."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from api import readiness
from api.readiness import OK, Missing, Readiness
from tests.waiting import PATIENCE

NO_DEPS: Any = None


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sets the parts: functions that take no argument, by name."""

    def put(**checks: Callable[[], object]) -> None:
        def check(of: Callable[[], object]) -> Callable[[object, Mapping[str, str]], object]:
            return lambda _deps, _seen: of()

        monkeypatch.setattr(readiness, "CHECKS", {name: check(of) for name, of in checks.items()})

    return put


def test_looks_are_limited_and_the_latest_is_told_beyond_that(
    parts: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[None] = []

    def away() -> None:
        looks.append(None)
        if len(looks) == readiness.AT_MOST:
            raise Missing("It is away.")

    parts(one=away)
    monkeypatch.setattr(readiness, "PERIOD", 1e9)
    ready = Readiness()
    told = [ready.outcomes(NO_DEPS)["one"] for _ in range(1000)]
    assert len(looks) == readiness.AT_MOST
    assert set(told[: readiness.AT_MOST - 1]) == {OK}
    assert set(told[readiness.AT_MOST - 1 :]) == {"It is away."}
    monkeypatch.setattr(readiness, "PERIOD", 0.0)
    assert ready.outcomes(NO_DEPS) == {"one": OK}


def test_who_asks_while_a_part_hangs_is_told_so_and_what_was_seen_before_it(
    parts: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, goes_on = threading.Event(), threading.Event()

    def hang() -> None:
        asked.set()
        goes_on.wait(PATIENCE)

    parts(quick=lambda: None, hangs=hang)
    monkeypatch.setattr(readiness, "WAIT", 0.0)
    ready = Readiness()
    with ThreadPoolExecutor(1) as thread:
        first = thread.submit(ready.outcomes, NO_DEPS)
        asked.wait(PATIENCE)
        assert ready.outcomes(NO_DEPS) == {"quick": OK, "hangs": "Has been asked, and has not answered yet."}
        goes_on.set()
        assert first.result() == {"quick": OK, "hangs": OK}


def test_a_look_that_breaks_off_is_not_waited_for(parts: Callable[..., None]) -> None:
    def broken() -> None:
        raise RuntimeError

    ready = Readiness()
    parts(one=broken)
    with pytest.raises(RuntimeError):
        ready.outcomes(NO_DEPS)
    parts(one=lambda: None)
    assert ready.outcomes(NO_DEPS) == {"one": OK}
