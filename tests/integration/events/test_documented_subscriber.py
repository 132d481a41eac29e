"""The subscriber of docs/events.md, word by word."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Engine

from shared.db import UnitOfWork
from shared.liveness.challenge import ChallengeType
from shared.liveness.held import Held
from shared.liveness.session import Session
from tests.integration.events.conftest import ROOT, EventsProcess
from tests.unit.liveness.weights import WEIGHTS, alive
from tests.waiting import PATIENCE, until

PAGE = ROOT / "docs" / "events.md"


def complete(engine: Engine, session_id: str) -> None:
    session = Session.open(session_id, [ChallengeType.BLINK], timeout_seconds=5, at=1000.0, ttl=300)
    held = Held(1002.0, 0.9, tuple(alive(WEIGHTS, [ChallengeType.BLINK])))
    session._pass(session.challenges[0], held, 1002.6, WEIGHTS)
    with UnitOfWork(engine) as uow:
        uow.sessions.add(session)
        uow.commit()


def test_it_is_told_of_a_verdict(
    engine: Engine, events_url: str, start_events: Callable[..., EventsProcess], tmp_path: Path
) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    said = tmp_path / "said"
    with said.open("w") as output:
        subscriber = subprocess.Popen(
            [sys.executable, "-c", code], env={"EVENTS_URL": events_url}, stdout=output, stderr=output
        )
    try:
        start_events(events_url)
        deadline = time.monotonic() + PATIENCE
        while "True" not in said.read_text():  # until its queue is there, events are for nobody
            assert time.monotonic() < deadline, said.read_text()
            complete(engine, session_id := f"00000000-0000-4000-8000-{time.monotonic_ns() % 10**12:012d}")
            time.sleep(0.3)
        until(lambda: f"{session_id} True" in said.read_text())
    finally:
        subscriber.kill()
        subscriber.wait()
