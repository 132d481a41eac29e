"""Whether the service is ready, over real parts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from flask.testing import FlaskClient
from redis import Redis
from sqlalchemy import Engine, insert, text
from sqlalchemy.exc import DBAPIError, OperationalError

from shared.db import make_engine
from shared.db.tables import secrets
from shared.db.trying import try_to_write, what_ails
from shared.handoff import worker_presence
from shared.redis import keyspace
from tests.integration import schema
from tests.integration.rabbitmq_server import running_server as rabbitmq_of_its_own
from tests.integration.redis_server import RedisServer, running_server
from tests.waiting import until

PARTS = ("redis", "database", "queue", "workers", "identity")


def test_ready_when_everything_is_there(client: FlaskClient, redis: Redis) -> None:
    worker_presence.beat(redis, "worker", time.time())
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json == {"status": "ready", "checks": dict.fromkeys(PARTS, "ok")}


def test_a_process_that_compares_faces_is_asked_for_unless_nobody_compares(
    start_app: Callable[..., FlaskClient], redis: Redis
) -> None:
    worker_presence.beat(redis, "worker", time.time())
    client = start_app(identity=True)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "IDENTITY=off" in answer.json["checks"]["identity"]
    worker_presence.beat(redis, "another worker", time.time(), "identity")
    assert client.get("/readyz").status_code == 200


def test_a_worker_that_fell_silent_does_not_count(client: FlaskClient, redis: Redis) -> None:
    worker_presence.beat(redis, "worker", time.time() - keyspace.PRESENCE_LATELY - 1)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert {name for name, said in answer.json["checks"].items() if said != "ok"} == {"workers"}
    assert "start one" in answer.json["checks"]["workers"]


def test_a_database_that_was_not_migrated_is_not_ready(start_app: Callable[..., FlaskClient], tmp_path: object) -> None:
    client = start_app(database_url=f"sqlite:///{tmp_path}/other.db")
    assert "migrated" in client.get("/readyz").json["checks"]["database"]


@pytest.mark.slow
def test_ready_over_rabbitmq(start_app: Callable[..., FlaskClient], redis: Redis, rabbitmq_url: str) -> None:
    worker_presence.beat(redis, "worker", time.time())
    client = start_app(queue_url=rabbitmq_url)
    for _ in range(2):
        assert client.get("/readyz").json["checks"]["queue"] == "ok"


@pytest.fixture(scope="module")
def breakable() -> Iterator[RedisServer]:
    with running_server() as server:
        yield server


@pytest.fixture
def own(breakable: RedisServer) -> Iterator[Redis]:
    """A Redis that a test may break; it is whole again afterwards."""
    with Redis.from_url(breakable.url) as client:
        client.flushall()
        yield client
        client.replicaof("NO", "ONE")
        client.config_set("maxmemory", "0")
        client.config_set("min-replicas-to-write", "0")
        client.config_set("requirepass", "")


def full(own: Redis) -> None:
    own.set("ballast", b"x" * 200_000)
    own.config_set("maxmemory", "100kb")


def replica(own: Redis) -> None:
    own.replicaof("127.0.0.1", "1")


def lonely(own: Redis) -> None:
    own.config_set("min-replicas-to-write", "1")


def closed(own: Redis) -> None:
    own.config_set("requirepass", "another")
    own.client_kill_filter(_type="normal", skipme=True)  # only new connections are asked for it


@pytest.mark.parametrize(
    "case", [(full, "is full"), (replica, "replica"), (lonely, "NOREPLICAS"), (closed, "password")]
)
@pytest.mark.parametrize("part", ["redis", "queue"])
def test_a_redis_that_takes_no_writes_is_not_ready_and_says_why(
    start_app: Callable[..., FlaskClient],
    redis: Redis,
    own: Redis,
    part: str,
    case: tuple[Callable[[Redis], None], str],
) -> None:
    for server in (redis, own):
        worker_presence.beat(server, "worker", time.time())
    client = start_app(**{f"{part}_url": f"redis://127.0.0.1:{own.connection_pool.connection_kwargs['port']}/0"})
    assert client.get("/readyz").status_code == 200
    break_it, said = case
    break_it(own)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert said in answer.json["checks"][part]
    assert answer.json["checks"]["database"] == "ok"


def test_the_queue_in_the_same_redis_is_missing_with_it(
    start_app: Callable[..., FlaskClient], breakable: RedisServer, own: Redis
) -> None:
    worker_presence.beat(own, "worker", time.time())
    client = start_app(redis_url=breakable.url, queue_url=breakable.url)
    replica(own)
    lacking = {name for name, said in client.get("/readyz").json["checks"].items() if said != "ok"}
    assert lacking == {"redis", "queue", "workers"}


def test_trying_leaves_nothing_behind(client: FlaskClient, redis: Redis, engine: Engine) -> None:
    client.get("/readyz")
    assert list(redis.scan_iter("tried*")) == []
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM sessions")) == 0


def test_a_file_that_cannot_be_written_is_not_ready(client: FlaskClient, redis: Redis) -> None:
    worker_presence.beat(redis, "worker", time.time())
    assert client.get("/readyz").json["checks"]["database"] == "ok"
    with client.application.extensions["resources"].engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA query_only = ON")  # for this connection, which the next request takes
    assert "takes no writes" in client.get("/readyz").json["checks"]["database"]


def test_a_full_disk_is_told_from_others(engine: Engine) -> None:
    """SQLite's own limit stands in for the disk's: the error is the same."""
    with engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(OperationalError) as raised:
            connection.execute(insert(secrets).values(name="ballast", value=bytes(100_000), created_at=0.0))
    assert what_ails(raised.value) == "has no room left on its disk"


@pytest.fixture
def rows(postgres_url: str) -> Iterator[Engine]:
    engine = make_engine(postgres_url)
    schema.create(engine)
    yield engine
    engine.dispose()


def test_a_standby_is_not_ready(start_app: Callable[..., FlaskClient], rows: Engine, postgres_url: str) -> None:
    client = start_app(database_url=postgres_url)
    assert client.get("/readyz").json["checks"]["database"] == "ok"
    with rows.begin() as connection:
        connection.execute(text(f"ALTER DATABASE {rows.url.database} SET default_transaction_read_only = on"))
    client.application.extensions["resources"].engine.dispose()  # for its next connections
    assert "standby" in client.get("/readyz").json["checks"]["database"]


def test_a_role_that_may_not_write_is_not_ready(
    start_app: Callable[..., FlaskClient], rows: Engine, postgres_url: str
) -> None:
    role = f"reader_{rows.url.database}"
    with rows.begin() as connection:
        connection.execute(text(f"CREATE ROLE {role} LOGIN"))
        connection.execute(text(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}"))
    try:
        client = start_app(database_url=postgres_url.replace("liveness@", f"{role}@"))
        assert "does not let this role write" in client.get("/readyz").json["checks"]["database"]
        client.application.extensions["resources"].engine.dispose()
    finally:
        with rows.begin() as connection:
            connection.execute(text(f"DROP OWNED BY {role}"))
            connection.execute(text(f"DROP ROLE {role}"))


def test_a_primary_that_became_a_standby_is_left(rows: Engine) -> None:
    """Its connections stay open and take no writes; new ones lead to the new primary."""
    with rows.connect() as connection:
        connection.exec_driver_sql("SET default_transaction_read_only = on")
        connection.commit()
    with pytest.raises(DBAPIError, match="read-only"):
        try_to_write(rows)
    try_to_write(rows)


def test_a_redis_that_hangs_is_not_ready(
    start_app: Callable[..., FlaskClient], breakable: RedisServer, own: Redis
) -> None:
    worker_presence.beat(own, "worker", time.time())
    client = start_app(redis_url=breakable.url)
    assert client.get("/readyz").status_code == 200
    with breakable.hung():
        assert "does not answer" in client.get("/readyz").json["checks"]["redis"]
    assert client.get("/readyz").status_code == 200


@pytest.mark.slow
def test_a_rabbitmq_with_an_alarm_is_not_ready(start_app: Callable[..., FlaskClient], redis: Redis) -> None:
    worker_presence.beat(redis, "worker", time.time())
    with rabbitmq_of_its_own() as server:
        client = start_app(queue_url=server.url)
        assert client.get("/readyz").json["checks"]["queue"] == "ok"
        server.control("set_vm_memory_high_watermark", "absolute", "1MB")
        assert "alarm" in client.get("/readyz").json["checks"]["queue"]
        server.control("set_vm_memory_high_watermark", "0.8")
        until(lambda: client.get("/readyz").json["checks"]["queue"] == "ok")
