"""The API over a real Redis, a real queue, real rows, and real workers that see what a test tells them to."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dramatiq import Worker
from flask.testing import FlaskClient
from flask_openapi import OpenAPI
from redis import Redis
from sqlalchemy import Engine
from werkzeug.test import TestResponse

from api import create_app
from shared import api_keys
from shared.api_keys import Role
from shared.db import UnitOfWork, make_engine
from shared.liveness.challenge import Challenge, ChallengeType
from shared.liveness.evidence import FITTED, Weighing
from shared.liveness.observation import Observation
from shared.liveness.session import Session
from shared.queue.broker import make_broker, worker_middleware
from shared.redis.client import make_redis
from shared.settings import Settings
from tests.integration import schema
from tests.integration.api.contract import Contract
from tests.waiting import PATIENCE
from workers import frames
from workers.vision.pipeline import Seen

SESSIONS = "/api/v1/liveness/sessions"


class DocumentedClient(FlaskClient):
    """A client that holds every answer against the OpenAPI document: each test is one of the contract as well."""

    contract: Contract

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        response = super().open(*args, **kwargs)
        self.contract.hold(
            response.request.method, response.request.path, response.status_code, response.content_type, response.data
        )
        return response


#: Contracts by the paths of the apps that answer by them.
_contracts: dict[frozenset[str], Contract] = {}


def contract_of(app: OpenAPI) -> Contract:
    """The contract of an app. Apps with the same paths have the same document, which is read once."""
    paths = frozenset(rule.rule for rule in app.url_map.iter_rules())
    if paths not in _contracts:
        _contracts[paths] = Contract(app.test_client().get("/openapi.json").json)
    return _contracts[paths]


@dataclass
class Eyes:
    """What the workers of a test see: `see` is called with the picture's bytes, in a worker's thread."""

    see: Callable[[bytes], Observation] = lambda data: Observation(faces=0)
    seen: list[bytes] = field(default_factory=list)

    def look(self, data: bytes, prior: None, at: float) -> Seen:
        self.seen.append(data)
        return Seen(self.see(data), None, np.zeros((1, 1, 3), np.uint8))


@dataclass
class Tools:
    """What `workers.frames` needs, as one process has it."""

    redis: Redis
    engine: Engine
    vision: Eyes
    weighing: Weighing = FITTED


@pytest.fixture
def settings(redis_url: str, tmp_path: Path) -> Settings:
    return Settings(
        _env_file=None,
        redis_url=redis_url,
        database_url=f"sqlite:///{tmp_path}/rows.db",
        identity=False,
        bind="0.0.0.0",  # tests of limits and of the audit trail call from other machines' addresses
        # More than the service would allow: a test's worker answers, however busy this machine is.
    ).model_copy(update={"frame_deadline": PATIENCE / 2, "frame_wait": PATIENCE})


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    """The migrated database."""
    engine = make_engine(settings.database_url)
    schema.create(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def redis(settings: Settings) -> Iterator[Redis]:
    client = make_redis(settings.redis_url)
    yield client
    client.close()


@pytest.fixture
def start_app(settings: Settings, engine: Engine) -> Iterator[Callable[..., FlaskClient]]:
    """Make an app with some settings changed, and a client of it."""
    apps: list[OpenAPI] = []

    def start(before: Callable[[OpenAPI], object] = lambda app: None, **changes: Any) -> FlaskClient:
        app = create_app(settings.model_copy(update=changes))
        before(app)  # its first request
        apps.append(app)
        DocumentedClient.contract = contract_of(app)
        app.test_client_class = DocumentedClient
        return app.test_client()

    yield start
    for app in apps:
        app.extensions["resources"].close()


@pytest.fixture
def client(start_app: Callable[..., FlaskClient]) -> FlaskClient:
    return start_app()


@dataclass
class MadeKey:
    """A key as its user has it."""

    id: str
    headers: dict[str, str]


MakeKey = Callable[..., MadeKey]


@pytest.fixture
def make_key(engine: Engine) -> MakeKey:
    """Make a key, as `ops/keys create` does."""

    def new(role: str = "server", engine: Engine = engine, policy: str | None = None) -> MadeKey:
        given, key = api_keys.make("a test", Role(role), time.time())
        key = replace(key, policy=policy)
        with UnitOfWork(engine) as uow:
            uow.keys.add(key)
            uow.commit()
        return MadeKey(key.id, {"Authorization": f"Bearer {given}"})

    return new


@pytest.fixture
def eyes() -> Eyes:
    return Eyes()


@pytest.fixture
def worker(
    settings: Settings, engine: Engine, redis: Redis, eyes: Eyes, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Worker]:
    """Two of the workers' threads, with their real broker and their real work; only the eyes are ours.

    They pass no frame over, however long it had to wait.
    """
    monkeypatch.setattr(frames, "BEHIND", PATIENCE)
    broker = make_broker(settings, worker_middleware(settings))
    frames.declare(broker, Tools(redis, engine, eyes), max_age=int(settings.frame_deadline * 1000))
    worker = Worker(broker, worker_threads=2, worker_timeout=100)
    worker.start()
    yield worker
    worker.stop()
    broker.close()


@pytest.fixture
def keep(engine: Engine) -> Callable[[Session], Session]:
    """Put a session into the database as it is."""

    def put(session: Session) -> Session:
        with UnitOfWork(engine) as uow:
            uow.sessions.add(session)
            uow.commit()
        return session

    return put


def session_like(session_id: str = "a1b2c3d4-e5f6-7890-abcd-ef1234567890", **changes: Any) -> Session:
    """The documentation's session, with some of it changed."""
    kinds = (ChallengeType.TURN_LEFT, ChallengeType.BLINK, ChallengeType.SMILE)
    whole = Session(
        id=session_id,
        challenges=[Challenge(kind, 5.0) for kind in kinds],
        created_at=1000.0,
        expires_at=4e9,
    )
    return replace(whole, **changes)
