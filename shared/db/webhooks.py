"""Rows of webhooks and of their deliveries."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, delete, exists, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from shared.db.tables import deliveries, webhooks
from shared.webhooks import FAILING, Delivery, Status, Webhook, pause_after

_ADD_DELIVERY = {
    "sqlite": sqlite.insert(deliveries).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(deliveries).on_conflict_do_nothing(),
}
_DELIVERY = select(deliveries).with_only_columns(
    *(c for c in deliveries.c if c.name not in ("event_id", "claimed_until"))
)


class WebhookRepository:
    """The repository of webhooks and deliveries within one unit of work: `uow.webhooks`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self) -> list[Webhook]:
        """All webhooks, oldest first."""
        rows = self._connection.execute(select(webhooks).order_by(webhooks.c.created_at, webhooks.c.id)).mappings()
        return [Webhook(**row) for row in rows]

    def disabled(self) -> dict[str, int]:
        """How many webhooks the service has disabled, by reason; those that a person disabled do not count."""
        rows = select(webhooks.c.disabled_reason, func.count()).where(webhooks.c.disabled_reason.is_not(None))
        found = self._connection.execute(rows.where(~webhooks.c.enabled).group_by(webhooks.c.disabled_reason))
        return {str(reason): number for reason, number in found}

    def paused(self, now: float) -> int:
        """How many enabled webhooks are not called at this time, since several calls in a row failed."""
        paused = select(func.count()).where(webhooks.c.enabled, webhooks.c.paused_until > now)
        return self._connection.execute(paused).scalar_one()

    def get(self, webhook_id: str) -> Webhook | None:
        """A webhook; None if there is none with this id."""
        row = self._connection.execute(select(webhooks).where(webhooks.c.id == webhook_id)).mappings().one_or_none()
        return None if row is None else Webhook(**row)

    def add(self, webhook: Webhook) -> None:
        """Insert a new webhook."""
        names = [column.name for column in webhooks.c]
        self._connection.execute(insert(webhooks), {name: getattr(webhook, name) for name in names})

    def change(self, webhook_id: str, **values: Any) -> bool:
        """Update some columns of a webhook; False if there is none with this id."""
        changed = self._connection.execute(update(webhooks).where(webhooks.c.id == webhook_id).values(**values))
        return changed.rowcount == 1

    def reseal(self, webhook: Webhook, secret: str, former_secret: str | None) -> None:
        """Store the secrets of a webhook in another form, unless they have been changed since `webhook` was read."""
        former = webhooks.c.former_secret
        unchanged = former.is_(None) if webhook.former_secret is None else former == webhook.former_secret
        same = webhooks.c.id == webhook.id, webhooks.c.secret == webhook.secret, unchanged
        values = {"secret": secret, "former_secret": former_secret}
        self._connection.execute(update(webhooks).where(*same).values(**values))

    def failed(self, webhook_id: str, at: float) -> float | None:
        """Count a failed attempt; returns until when the webhook is paused, if this attempt has opened its circuit.

        `failing_since` becomes `at`, unless attempts have been failing since earlier.
        """
        row = self._connection.execute(
            select(webhooks.c.failing_since, webhooks.c.paused_until, webhooks.c.failures)
            .where(webhooks.c.id == webhook_id)
            .with_for_update()
        ).one_or_none()
        if row is None:
            return None
        values: dict[str, Any] = {} if row.failing_since is not None else {"failing_since": at}
        pause = None
        if row.paused_until is None or row.paused_until <= at:  # else another call has just opened the circuit
            values["failures"] = row.failures + 1
            pause = pause_after(row.failures + 1)
            values["paused_until"] = None if pause is None else at + pause
        if values:
            self.change(webhook_id, **values)
        return None if pause is None else at + pause

    def succeeded(self, webhook_id: str) -> None:
        """Note a delivery: the webhook fails no longer, and its circuit is closed."""
        self.change(webhook_id, failing_since=None, paused_until=None, failures=0)

    def delete(self, webhook_id: str) -> bool:
        """Delete a webhook with its deliveries; False if there is none with this id."""
        return self._connection.execute(delete(webhooks).where(webhooks.c.id == webhook_id)).rowcount == 1

    def send(self, webhook_id: str, event: dict[str, Any], at: float) -> str:
        """Insert a delivery of an event to a webhook, due at `at`; return the id for it.

        Nothing is inserted if this event has a delivery to this webhook already.
        """
        delivery_id = str(uuid.uuid4())
        values = {
            "id": delivery_id,
            "webhook_id": webhook_id,
            "event_id": event["id"],
            "event": event,
            "status": Status.PENDING.value,
            "attempts": 0,
            "created_at": at,
            "next_at": at,
        }
        self._connection.execute(_ADD_DELIVERY[self._connection.dialect.name], values)
        return delivery_id

    def deliveries(self, webhook_id: str, limit: int) -> list[Delivery]:
        """Up to `limit` deliveries to a webhook, newest first."""
        rows = self._connection.execute(
            _DELIVERY.where(deliveries.c.webhook_id == webhook_id)
            .order_by(deliveries.c.created_at.desc(), deliveries.c.id)
            .limit(limit)
        )
        return [_delivery(row) for row in rows.mappings()]

    def delivery(self, delivery_id: str) -> Delivery | None:
        """A delivery; None if there is none with this id."""
        row = self._connection.execute(_DELIVERY.where(deliveries.c.id == delivery_id)).mappings().one_or_none()
        return None if row is None else _delivery(row)

    def due(self, now: float, at_once: int, patience: float) -> list[str]:
        """Claim deliveries that are due, so many that each webhook has up to `at_once` in flight, and return their ids.

        A webhook whose circuit is open has none until its pause is over, and then one. No other caller gets a claimed
        delivery for `patience` seconds, after which the attempt counts as lost.
        """
        # The lock makes the count of calls in flight exact; it lets deliveries be inserted meanwhile (FOR NO KEY UPDATE).
        callable_now = (
            select(webhooks.c.id, webhooks.c.failures)
            .where(
                *_callable(now), exists().where(deliveries.c.webhook_id == webhooks.c.id, deliveries.c.next_at <= now)
            )
            .with_for_update(of=webhooks, key_share=True, skip_locked=True)
        )
        endpoints = self._connection.execute(callable_now).all()
        if not endpoints:
            return []
        counts = select(deliveries.c.webhook_id, func.count()).where(deliveries.c.claimed_until > now)
        in_flight = {row[0]: row[1] for row in self._connection.execute(counts.group_by(deliveries.c.webhook_id))}
        ids: list[str] = []
        for webhook_id, failures in endpoints:
            room = (at_once if pause_after(failures) is None else 1) - in_flight.get(webhook_id, 0)
            if room > 0:
                rows = select(deliveries.c.id).where(deliveries.c.webhook_id == webhook_id, deliveries.c.next_at <= now)
                ids += self._connection.scalars(rows.order_by(deliveries.c.next_at).limit(room))
        if ids:
            values = {"next_at": now + patience, "claimed_until": now + patience}
            self._connection.execute(update(deliveries).where(deliveries.c.id.in_(ids)).values(**values))
        return ids

    def any_due(self, now: float) -> bool:
        """Whether a delivery is due to a webhook that may be called; locks nothing."""
        due = (
            select(deliveries.c.id)
            .join(webhooks, webhooks.c.id == deliveries.c.webhook_id)
            .where(deliveries.c.next_at <= now, *_callable(now))
            .limit(1)
        )
        return self._connection.scalar(due) is not None

    def attempted(self, delivery_id: str, **values: Any) -> None:
        """Update the columns of a delivery after an attempt, which is no longer in flight."""
        done = update(deliveries).where(deliveries.c.id == delivery_id).values(**values, claimed_until=None)
        self._connection.execute(done)

    def again(self, delivery_id: str, at: float) -> None:
        """Make a delivery due at `at` again, with all its attempts before it."""
        values = {"status": Status.PENDING.value, "attempts": 0, "next_at": at}
        self._connection.execute(update(deliveries).where(deliveries.c.id == delivery_id).values(**values))

    def purge(self, before: float, limit: int) -> int:
        """Delete up to `limit` finished deliveries created before `before`; return how many were deleted.

        Unfinished ones, which wait for a disabled webhook, are deleted FAILING seconds later.
        """
        over = or_(deliveries.c.next_at.is_(None), deliveries.c.created_at < before - FAILING)
        old = select(deliveries.c.id).where(deliveries.c.created_at < before, over)
        ids = list(self._connection.scalars(old.order_by(deliveries.c.created_at).limit(limit)))
        if ids:
            self._connection.execute(delete(deliveries).where(deliveries.c.id.in_(ids)))
        return len(ids)


def _callable(now: float) -> tuple[ColumnElement[bool], ...]:
    """The conditions for a webhook to be called at `now`."""
    return webhooks.c.enabled, or_(webhooks.c.paused_until.is_(None), webhooks.c.paused_until <= now)


def _delivery(row: RowMapping) -> Delivery:
    return Delivery(**{**row, "status": Status(row["status"])})
