"""The outbox, leases and webhooks in their rows, on both databases."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine

from shared.db import UnitOfWork
from shared.webhooks import FAILING, FIRST_PAUSE, LONGEST_PAUSE, OPEN_AFTER, Status, Webhook
from tests.unit.db import samples


def hook(webhook_id: str = "w", **changes: Any) -> Webhook:
    return Webhook(webhook_id, "https://example.org/", [], "whsec_x", 1.0, **changes)


def keep(engine: Engine, *webhooks: Webhook) -> None:
    with UnitOfWork(engine) as uow:
        for webhook in webhooks:
            uow.webhooks.add(webhook)
        uow.commit()


def send(engine: Engine, event_id: str, at: float, webhook_id: str = "w") -> None:
    with UnitOfWork(engine) as uow:
        uow.webhooks.send(webhook_id, {"id": event_id, "type": "x"}, at)
        uow.commit()


def test_a_lease_is_one_holder_s_until_it_runs_out_or_is_let_go(engine: Engine) -> None:
    def hold(me: str, now: float) -> bool:
        with UnitOfWork(engine) as uow:
            held = uow.leases.hold("relay", me, now, 10)
            uow.commit()
        return held

    assert hold("a", 100)
    assert not hold("b", 109)
    assert hold("a", 109)
    assert not hold("b", 118)
    assert hold("b", 119)
    assert not hold("a", 120)
    with UnitOfWork(engine) as uow:
        uow.leases.release("relay", "a")  # not its own any more
        uow.commit()
    assert not hold("a", 121)
    with UnitOfWork(engine) as uow:
        uow.leases.release("relay", "b")
        uow.commit()
    assert hold("a", 121)


def test_the_outbox_holds_what_was_not_published_in_order(engine: Engine) -> None:
    with UnitOfWork(engine) as uow:
        for _ in range(3):
            uow.sessions.add(samples.pending())
        uow.commit()
    with UnitOfWork(engine) as uow:
        first, second, third = uow.outbox.waiting(10)
        assert [told.id for told in uow.outbox.waiting(2)] == [first.id, second.id]
        uow.outbox.published([second.id], 5.0)
        uow.commit()
    with UnitOfWork(engine, read_only=True) as uow:
        assert uow.outbox.waiting(10) == [first, third]
    with UnitOfWork(engine) as uow:
        assert uow.outbox.give_up(first.at, 10) == 0
        assert uow.outbox.give_up(first.at + 1, 1) == 1
        assert uow.outbox.waiting(10) == [third]


def test_a_delivery_is_made_once_and_handed_to_one(engine: Engine) -> None:
    keep(engine, hook())
    send(engine, "e1", 100.0)
    send(engine, "e1", 101.0)
    send(engine, "e2", 102.0)
    with UnitOfWork(engine, read_only=True) as uow:
        newest, oldest = uow.webhooks.deliveries("w", 10)
        assert (newest.event["id"], oldest.event["id"]) == ("e2", "e1")
        assert not uow.webhooks.any_due(99.0)
        assert uow.webhooks.any_due(100.0)
    with UnitOfWork(engine) as first:
        assert first.webhooks.due(100.0, 10, 60.0) == [oldest.id]
        if engine.dialect.name == "postgresql":  # SQLite has one writer at a time
            with UnitOfWork(engine) as second:
                assert second.webhooks.due(200.0, 10, 60.0) == [], "passed over, and not waited for"
        first.commit()
    with UnitOfWork(engine) as uow:
        assert uow.webhooks.due(159.0, 10, 60.0) == [newest.id]
        assert uow.webhooks.due(160.0, 10, 60.0) == [oldest.id], "it was not heard of"


def test_an_endpoint_has_a_bounded_number_of_calls_in_flight(engine: Engine) -> None:
    keep(engine, hook(), hook("other"))
    for n in range(4):
        send(engine, f"e{n}", 100.0 + n)
        send(engine, f"e{n}", 100.0 + n, "other")
    with UnitOfWork(engine) as uow:
        claimed = uow.webhooks.due(200.0, 3, 60.0)
        of = [uow.webhooks.delivery(delivery_id).webhook_id for delivery_id in claimed]
        assert sorted(of) == ["other"] * 3 + ["w"] * 3
        assert uow.webhooks.due(201.0, 3, 60.0) == []
        uow.webhooks.attempted(claimed[of.index("w")], status=Status.DELIVERED.value, next_at=None)
        (last,) = uow.webhooks.due(202.0, 3, 60.0)
        assert uow.webhooks.delivery(last).webhook_id == "w"
        again = uow.webhooks.due(260.0, 3, 60.0)
        of = [uow.webhooks.delivery(delivery_id).webhook_id for delivery_id in again]
        assert sorted(of) == ["other"] * 3 + ["w"] * 2, "lost ones make room, and are attempted again"


def test_a_circuit_opens_lets_probes_through_and_closes(engine: Engine) -> None:
    keep(engine, hook())
    for n in range(3):
        send(engine, f"e{n}", 100.0)

    def fail(at: float) -> float | None:
        with UnitOfWork(engine) as uow:
            until = uow.webhooks.failed("w", at)
            uow.commit()
        return until

    def due(at: float) -> list[str]:
        with UnitOfWork(engine) as uow:
            ids = uow.webhooks.due(at, 4, 1.0)
            uow.commit()
        return ids

    assert [fail(100.0) for _ in range(OPEN_AFTER - 1)] == [None] * (OPEN_AFTER - 1)
    assert len(due(101.0)) == 3
    assert fail(110.0) == 110.0 + FIRST_PAUSE
    assert fail(111.0) is None, "a call that was under way does not lengthen the pause"
    assert due(110.0 + FIRST_PAUSE - 1) == []
    assert len(due(110.0 + FIRST_PAUSE)) == 1, "a probe"
    assert due(110.0 + FIRST_PAUSE + 0.5) == [], "one at a time"
    assert fail(150.0) == 150.0 + 2 * FIRST_PAUSE
    until = 150.0
    for _ in range(20):
        until = fail(until + LONGEST_PAUSE) or 0.0
    assert (fail(until) or 0) - until == LONGEST_PAUSE
    with UnitOfWork(engine) as uow:
        uow.webhooks.succeeded("w")
        uow.commit()
    assert len(due(until + 1)) == 3
    with UnitOfWork(engine, read_only=True) as uow:
        webhook = uow.webhooks.get("w")
    assert (webhook.failures, webhook.paused_until, webhook.failing_since) == (0, None, None)


def test_what_a_disabled_endpoint_is_to_get_waits(engine: Engine) -> None:
    keep(engine, hook(), hook("off", enabled=False))
    send(engine, "e1", 100.0, "off")
    with UnitOfWork(engine) as uow:
        assert not uow.webhooks.any_due(200.0)
        assert uow.webhooks.due(200.0, 10, 60.0) == []
        uow.webhooks.change("off", enabled=True)
        assert len(uow.webhooks.due(200.0, 10, 60.0)) == 1


def test_deliveries_go_when_they_are_over_or_very_old(engine: Engine) -> None:
    keep(engine, hook())
    for event_id in ("over", "waiting"):
        send(engine, event_id, 100.0)
    with UnitOfWork(engine) as uow:
        over = next(d for d in uow.webhooks.deliveries("w", 10) if d.event["id"] == "over")
        uow.webhooks.attempted(over.id, status=Status.DELIVERED.value, next_at=None)
        assert uow.webhooks.purge(100.0, 10) == 0
        assert uow.webhooks.purge(101.0, 10) == 1
        assert uow.webhooks.purge(100.0 + FAILING, 10) == 0
        assert uow.webhooks.purge(101.0 + FAILING, 10) == 1


def test_an_endpoint_goes_with_its_deliveries(engine: Engine) -> None:
    keep(engine, hook())
    send(engine, "e1", 100.0)
    with UnitOfWork(engine) as uow:
        (delivery,) = uow.webhooks.deliveries("w", 10)
        assert uow.webhooks.delete("w")
        assert not uow.webhooks.delete("w")
        assert uow.webhooks.delivery(delivery.id) is None
        assert uow.webhooks.all() == []
