"""Brokers, rows, and subscribers of the tests' own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from kombu.mixins import ConsumerMixin
from sqlalchemy import Engine

from shared.db import UnitOfWork, make_engine
from shared.liveness.challenge import ChallengeType
from shared.liveness.session import Session
from tests.endings import nothing_else
from tests.integration import schema
from tests.waiting import PATIENCE
from workers.events.cloudevents import connect, durable_queue

ROOT = Path(__file__).parents[3]


class Subscriber(ConsumerMixin):
    """Takes events from a durable queue of its own, and remembers them in the order of their coming."""

    connect_max_retries = None

    def __init__(self, url: str, *routing_keys: str, name: str | None = None) -> None:
        self.name = name or f"test.{uuid.uuid4().hex}"
        self.queue = durable_queue(self.name, *(routing_keys or ("#",)))
        self.connection = connect(url, heartbeat=20)
        self.events: list[dict[str, Any]] = []
        self.properties: list[dict[str, Any]] = []
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._consume, daemon=True)

    def start(self) -> Subscriber:
        """Returns when its queue is there."""
        self._thread.start()
        assert self._ready.wait(PATIENCE)
        return self

    def stop(self) -> None:
        self.should_stop = True
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()

    def get_consumers(self, consumer: Any, channel: Any) -> list[Any]:
        return [consumer(self.queue, on_message=self._take)]

    def on_consume_ready(self, *_: Any, **__: Any) -> None:
        self._ready.set()

    def _take(self, message: Any) -> None:
        self.events.append(json.loads(message.body))
        self.properties.append({"content_type": message.content_type, **message.properties})
        message.ack()

    def _consume(self) -> None:
        self.run()
        with suppress(OSError):
            self.connection.release()

    @property
    def ids(self) -> list[str]:
        return [event["id"] for event in self.events]

    def of_sessions(self) -> dict[str, list[str]]:
        """The types of each session's events, in the order of their first coming."""
        seen: set[str] = set()
        types: dict[str, list[str]] = defaultdict(list)
        for event in self.events:
            if event["id"] not in seen:
                seen.add(event["id"])
                types[event["subject"]].append(event["type"])
        return types


@pytest.fixture(params=["redis", "rabbitmq"])
def events_url(request: pytest.FixtureRequest) -> str:
    """Each test runs over both."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/rows.db"


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = make_engine(database_url)
    schema.create(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def subscribe(events_url: str) -> Iterator[Callable[..., Subscriber]]:
    started: list[Subscriber] = []

    def start(*routing_keys: str, name: str | None = None, url: str = events_url) -> Subscriber:
        started.append(Subscriber(url, *routing_keys, name=name).start())
        return started[-1]

    yield start
    for subscriber in started:
        subscriber.stop()


#: What a session's life tells, here.
LIFE = ["liveness.session.created", "liveness.session.started", "liveness.session.failed"]


def live(engine: Engine, count: int = 1) -> list[str]:
    """Let so many sessions be created, started and failed, each change in a unit of its own; their ids."""
    ids = [str(uuid.uuid4()) for _ in range(count)]
    for session_id in ids:
        session = Session.open(session_id, [ChallengeType.BLINK], timeout_seconds=5, at=1000.0, ttl=300)
        with UnitOfWork(engine) as uow:
            uow.sessions.add(session)
            uow.commit()
    for change in (lambda s: s._start(1001.0), lambda s: s._fail(1002.5, "timed_out")):
        for session_id in ids:
            with UnitOfWork(engine, on_end=nothing_else) as uow:
                held = uow.sessions.get(session_id, lock=True)
                assert held is not None
                change(held)
                uow.sessions.save(held)
                uow.commit()
    return ids


class EventsProcess:
    """`python -m workers.events`, as the Procfile starts it."""

    def __init__(self, log: Path, module: str = "workers.events", **environment: str) -> None:
        self._log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", module],
                cwd=ROOT,
                env=os.environ | {"LOG_FORMAT": "json"} | environment,
                stdout=output,
                stderr=output,
            )

    @property
    def log(self) -> str:
        return self._log.read_text()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(PATIENCE)


@pytest.fixture
def start_events(tmp_path: Path, database_url: str, redis_server: Any) -> Iterator[Callable[..., EventsProcess]]:
    started: list[EventsProcess] = []

    def start(url: str, module: str = "workers.events", **environment: str) -> EventsProcess:
        own = {"REDIS_URL": redis_server.url, "DATABASE_URL": database_url, "EVENTS_URL": url}
        started.append(EventsProcess(tmp_path / f"events{len(started)}.log", module, **own | environment))
        return started[-1]

    yield start
    for process in started:
        if process.process.poll() is None:
            process.kill()
