"""The relay, over real brokers: each event at least once, each session's in order, whoever dies."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import Engine, func, select

from shared.db import UnitOfWork, make_engine
from shared.db.tables import outbox
from tests.integration import schema
from tests.integration.events.conftest import LIFE, EventsProcess, Subscriber, live
from tests.integration.rabbitmq_server import running_server
from tests.waiting import until
from workers import lease
from workers.events import relay as module
from workers.events.cloudevents import connect
from workers.events.publisher import Publisher
from workers.events.relay import Relay

Subscribe = Callable[..., Subscriber]


def waiting(engine: Engine) -> int:
    with engine.connect() as connection:
        count = select(func.count()).select_from(outbox).where(outbox.c.published_at.is_(None))
        return int(connection.scalar(count) or 0)


def drain(relay: Relay) -> None:
    while relay.step():
        pass
    relay._publisher.close()


def test_an_event_is_a_cloud_event(engine: Engine, events_url: str, subscribe: Subscribe) -> None:
    subscriber = subscribe()
    (session_id,) = live(engine)
    drain(Relay(engine, Publisher(events_url), "https://liveness.example.org"))
    until(lambda: len(subscriber.events) == 3)
    last = subscriber.events[-1]
    assert last == {
        "specversion": "1.0",
        "id": last["id"],
        "source": "https://liveness.example.org",
        "type": "liveness.session.failed",
        "subject": session_id,
        "time": "1970-01-01T00:16:42.500Z",
        "datacontenttype": "application/json",
        "sequence": last["sequence"],
        "data": last["data"],
    }
    assert last["data"].items() >= {"session_id": session_id, "is_live": None, "reason": "timed_out"}.items()
    assert last["data"].keys() == {"session_id", "is_live", "reason", "asked", "owner", "subject", "nonce"}
    with engine.connect() as connection:
        assert subscriber.ids == list(connection.scalars(select(outbox.c.event_id).order_by(outbox.c.id)))
    assert [event["sequence"] for event in subscriber.events] == sorted(e["sequence"] for e in subscriber.events)
    assert subscriber.properties[-1]["content_type"] == "application/cloudevents+json"
    assert waiting(engine) == 0


def test_a_subscriber_gets_only_the_kinds_that_it_asked_for(
    engine: Engine, events_url: str, subscribe: Subscribe
) -> None:
    ends, everything = subscribe("liveness.session.completed", "liveness.session.failed"), subscribe("liveness.#")
    live(engine, 3)
    drain(Relay(engine, Publisher(events_url), "x"))
    until(lambda: len(everything.events) == 9 and len(ends.events) == 3)
    assert {event["type"] for event in ends.events} == {"liveness.session.failed"}
    assert len(ends.events) == 3


def test_a_durable_queue_keeps_events_while_its_consumer_is_away(
    engine: Engine, events_url: str, subscribe: Subscribe
) -> None:
    away = subscribe()
    away.stop()
    ids = live(engine, 2)
    drain(Relay(engine, Publisher(events_url), "x"))
    back = subscribe(name=away.name)
    until(lambda: len(back.events) == 6)
    assert back.of_sessions() == dict.fromkeys(ids, LIFE)


def test_without_a_subscriber_events_are_done_with(engine: Engine, events_url: str) -> None:
    live(engine)
    drain(Relay(engine, Publisher(events_url), "x"))
    assert waiting(engine) == 0


def test_an_event_is_out_within_a_second(engine: Engine, events_url: str, subscribe: Subscribe) -> None:
    pauses: list[float] = []

    class Noted(Relay):
        def _pause(self) -> float:
            pauses.append(super()._pause())
            return pauses[-1]

    def once() -> bool:
        idle, expected = len(pauses), len(subscriber.events) + 3
        until(lambda: len(pauses) >= idle + 3)
        written = time.monotonic()
        live(engine)
        until(lambda: len(subscriber.events) == expected)
        return time.monotonic() - written < 1.0

    subscriber = subscribe()
    relay = Noted(engine, Publisher(events_url), "x")
    relay.start()
    until(once)  # at the first try, unless others keep the machine busy
    relay.stop()
    assert max(pauses) < 0.5


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_several_relays_at_once_neither_repeat_nor_disorder(
    request: pytest.FixtureRequest, redis_url: str, database_url: str, database: str
) -> None:
    url = database_url if database == "sqlite" else request.getfixturevalue("postgres_url")
    engine = make_engine(url)
    schema.create(engine)
    subscriber = Subscriber(redis_url).start()
    engines = [make_engine(url, pool_size=1) for _ in range(3)]
    relays = [Relay(own, Publisher(redis_url), "x") for own in engines]
    for relay in relays:
        relay.start()
    writers = [threading.Thread(target=live, args=(engine, 20)) for _ in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    until(lambda: len(subscriber.events) >= 180)
    for relay in relays:
        relay.stop()
    subscriber.stop()
    assert len(subscriber.ids) == len(set(subscriber.ids)) == 180
    assert set(map(tuple, subscriber.of_sessions().values())) == {tuple(LIFE)}
    for each in (engine, *engines):
        each.dispose()


class BreaksDown:
    """A publisher whose broker takes so many events, the last of them without saying so, and then is away."""

    def __init__(self, after: int) -> None:
        self.taken: list[dict[str, Any]] = []
        self._after = after

    def prepare(self) -> None:
        pass

    def publish(self, event: dict[str, Any]) -> None:
        if len(self.taken) < self._after:
            self.taken.append(event)
        if len(self.taken) == self._after:
            raise ConnectionError("gone")

    def close(self) -> None:
        pass


def test_what_the_broker_did_not_confirm_is_published_again(engine: Engine) -> None:
    live(engine, 2)
    first = BreaksDown(after=4)
    relay = Relay(engine, first, "x")
    with pytest.raises(ConnectionError):
        relay.step()
    relay._lease.release()
    assert waiting(engine) == 3
    second = BreaksDown(after=100)
    drain(Relay(engine, second, "x"))
    assert second.taken[0] == first.taken[-1]
    assert len({e["id"] for e in first.taken + second.taken}) == 6


def test_another_takes_over_only_when_the_lease_has_run_out(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LEASE", 3600.0)
    first, second = BreaksDown(100), BreaksDown(100)
    live(engine)
    relay, other = Relay(engine, first, "x"), Relay(engine, second, "x")
    drain(relay)
    live(engine)
    assert not other.step()
    assert second.taken == []
    later = time.time() + 3601
    monkeypatch.setattr(lease, "now", lambda: later)
    drain(other)
    assert len(second.taken) == 3


@pytest.mark.slow
def test_killed_in_the_middle_it_loses_nothing(
    engine: Engine,
    events_url: str,
    subscribe: Subscribe,
    start_events: Callable[..., EventsProcess],
    tmp_path: Path,
) -> None:
    """One after the other is killed with -9 while events that the broker has are not marked yet."""
    subscriber = subscribe()
    ids = live(engine, 50)
    # In its first batch, then in its second, which begins where the one before began.
    for name, after, marked in (("first", 30, 0), ("second", module.BATCH + 10, module.BATCH)):
        held = tmp_path / name
        process = start_events(events_url, f"{__package__}.held_events", HOLD_AFTER=str(after), HELD=str(held))
        until(held.exists)
        process.kill()
        assert waiting(engine) == 150 - marked
        with UnitOfWork(engine) as uow:  # as its time would: ten seconds for each are long for a test
            uow.leases._connection.exec_driver_sql("DELETE FROM leases")
            uow.commit()
    last = start_events(events_url)
    until(lambda: waiting(engine) == 0)
    until(lambda: len(subscriber.ids) == 150 + 30 + 10)
    assert len(set(subscriber.ids)) == 150
    assert subscriber.of_sessions() == dict.fromkeys(ids, LIFE)
    assert last.stop() == 0


@pytest.mark.slow
def test_rabbitmq_stopped_in_the_middle_and_started_again(
    engine: Engine, start_events: Callable[..., EventsProcess]
) -> None:
    with running_server() as server:
        subscriber = Subscriber(server.url).start()
        start_events(server.url)
        ids = live(engine, 20)
        until(lambda: len(subscriber.events) > 10)
        server.kill()
        ids += live(engine, 20)  # sessions go on
        assert waiting(engine) >= 60
        server.start()
        until(lambda: len(set(subscriber.ids)) == 120)
        assert subscriber.of_sessions() == dict.fromkeys(ids, LIFE)
        assert waiting(engine) == 0
        subscriber.stop()


def test_a_connection_that_was_never_opened_can_be_closed(events_url: str) -> None:
    Publisher(events_url).close()
    connect(events_url).release()


def test_who_looks_for_lost_messages_keeps_others_from_it_for_seconds(redis_url: str) -> None:
    with Redis.from_url(redis_url) as client, client.monitor() as monitor, connect(redis_url) as connection:
        connection.default_channel.qos.restore_visible()
        commands = (command["command"].split() for command in monitor.listen())
        taken = next(words for words in commands if words[:2] == ["SET", "unacked_mutex"])
    assert "PX" in taken, f"for ever: {taken}"
    assert int(taken[taken.index("PX") + 1]) <= 30_000
