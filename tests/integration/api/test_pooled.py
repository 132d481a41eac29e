"""The API and its workers over PostgreSQL behind a PgBouncer in transaction mode, with several sessions at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from dramatiq import Worker
from flask.testing import FlaskClient
from sqlalchemy import Engine

from shared.db import make_engine
from shared.settings import Settings
from tests.integration import schema
from tests.integration.api.conftest import SESSIONS
from tests.integration.api.test_frames import post
from tests.waiting import PATIENCE

#: More than psycopg's threshold for preparing a statement, which is 5, on each connection.
FRAMES_EACH = 8


@pytest.fixture
def settings(redis_url: str, pooled_url: str, tmp_path: Path) -> Settings:
    settings = Settings(_env_file=None, redis_url=redis_url, database_url=pooled_url, identity=False, bind="0.0.0.0")
    return settings.model_copy(update={"frame_deadline": PATIENCE / 2, "frame_wait": PATIENCE, "state_dir": tmp_path})


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    """The database, migrated through the pooler."""
    engine = make_engine(settings.database_url)
    schema.upgrade(engine)
    yield engine
    engine.dispose()


def test_sessions_from_their_creation_to_their_end(start_app: Callable[..., FlaskClient], worker: Worker) -> None:
    app = start_app(limit_frames="off").application

    def whole(_: int) -> list[int]:
        client = app.test_client()
        created = client.post(SESSIONS)
        address = f"{SESSIONS}/{created.json['session_id']}"
        frames = [post(client, created.json["session_id"]).status_code for _ in range(FRAMES_EACH)]
        looked, ended = client.get(address), client.delete(address)
        assert looked.json["state"] == "in_progress"
        return [created.status_code, *frames, looked.status_code, ended.status_code, client.get(address).status_code]

    with ThreadPoolExecutor(4) as threads:
        for statuses in threads.map(whole, range(4)):
            assert statuses == [200, *[200] * FRAMES_EACH, 200, 200, 404]
    assert app.test_client().get("/readyz").json["checks"]["database"] == "ok"
