"""Webhooks: one consumer of the events, which brings them to the endpoints that the API knows.

An event that the broker delivers becomes a row for each endpoint that wants it, and only then is it acknowledged. The row
says when it is to be attempted; dramatiq does the attempts, so that a slow endpoint holds up nothing but a thread. When the
next one is due stands in the row and not in a message that waits: a Redis that keeps nothing on disk would forget it.
"""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from datetime import UTC, datetime
from typing import Any, Literal

import dramatiq
import structlog
from dramatiq import Broker
from kombu.mixins import ConsumerMixin
from sqlalchemy import Engine
from standardwebhooks import Webhook as Signer

from shared.db import UnitOfWork
from shared.queue.messages import DELIVER_WEBHOOK, WEBHOOKS, QueueUnavailable, enqueue_delivery
from shared.redis.timekeeping import now
from shared.telemetry.metrics.table import WEBHOOK_ATTEMPTS
from shared.webhooks import FAILED_TOO_LONG, FAILING, GONE, JITTER, SCHEDULE, Delivery, Status, Webhook
from workers.events.calling import Refused, call
from workers.events.cloudevents import CONTENT_TYPE, connect, durable_queue

log = structlog.get_logger(__name__)

#: Where events wait for this consumer.
QUEUE = durable_queue("liveness.webhooks", "liveness.#")

#: Seconds between two looks at what is due.
TICK = 1.0
#: How many deliveries are handed to the queue at a time.
BATCH = 100
#: Seconds after which a delivery whose attempt was not heard of is attempted again: its worker was killed.
LOST = 120.0


class Fanout(ConsumerMixin, threading.Thread):
    """Makes a delivery of each event for each endpoint that wants it."""

    def __init__(self, engine: Engine, url: str, due: threading.Event) -> None:
        """due: set when there is something to deliver."""
        threading.Thread.__init__(self, name="fanout", daemon=True)
        self.connection = connect(url, heartbeat=20)
        self._engine = engine
        self._due = due

    def get_consumers(self, consumer: Any, _channel: Any) -> list[Any]:
        """One, of our queue."""
        return [consumer(QUEUE, on_message=self.take, prefetch_count=20)]

    def on_connection_error(self, exc: BaseException, interval: float) -> None:
        """The broker is away, and is tried again."""
        log.warning("webhooks.no_broker", error=repr(exc), again_in=interval)

    def stop(self) -> None:
        """Stop, after the event in hand."""
        self.should_stop = True
        self.join(5)

    def take(self, message: Any) -> None:
        """An event."""
        try:
            event = json.loads(message.body)
            with UnitOfWork(self._engine, read_only=True) as uow:
                wanted = [webhook.id for webhook in uow.webhooks.all() if webhook.wants(event["type"])]
            if wanted:
                with UnitOfWork(self._engine) as uow:
                    for webhook_id in wanted:
                        uow.webhooks.send(webhook_id, event, now())
                    uow.commit()
                self._due.set()
        except (ValueError, KeyError, TypeError):
            log.exception("webhooks.no_event")  # somebody else's message; it would come again and again
            message.ack()
        except Exception:
            log.exception("webhooks.not_taken")  # the database is away: the event stays in its queue
            time.sleep(1.0)
            message.requeue()
        else:
            message.ack()


class Dispatcher(threading.Thread):
    """Hands what is due to dramatiq."""

    def __init__(self, engine: Engine, broker: Broker, due: threading.Event) -> None:
        super().__init__(name="dispatcher", daemon=True)
        self._engine = engine
        self._broker = broker
        self._due = due
        self._stopped = False

    def run(self) -> None:
        """Go, until `stop`."""
        while not self._stopped:
            try:
                while self.step() and not self._stopped:
                    pass
            except Exception:
                log.exception("webhooks.not_dispatched")  # the database or the queue is away; what is due stays due
            self._due.wait(TICK)
            self._due.clear()

    def stop(self) -> None:
        """Stop, and wait for it."""
        self._stopped = True
        self._due.set()
        self.join(5)

    def step(self) -> bool:
        """Hand one batch on; whether there may be more."""
        with UnitOfWork(self._engine, read_only=True) as uow:
            if not uow.webhooks.any_due(now()):
                return False
        with UnitOfWork(self._engine) as uow:
            ids = uow.webhooks.due(now(), BATCH, LOST)
            uow.commit()
        for delivery_id in ids:
            try:
                enqueue_delivery(self._broker, delivery_id)
            except QueueUnavailable as error:
                log.warning("webhooks.no_queue", error=str(error))
                return False  # those that are left come again when they are taken for lost
        return len(ids) == BATCH


class Deliverer:
    """Attempts deliveries."""

    def __init__(self, engine: Engine, *, private: bool) -> None:
        """private: whether addresses inside the network may be called."""
        self._engine = engine
        self._private = private

    def attempt(self, delivery_id: str) -> None:
        """Bring it there, and write what became of it."""
        with UnitOfWork(self._engine, read_only=True) as uow:
            delivery = uow.webhooks.delivery(delivery_id)
            webhook = uow.webhooks.get(delivery.webhook_id) if delivery is not None else None
        if delivery is None or webhook is None or not webhook.enabled or delivery.status is not Status.PENDING:
            return
        status, error = self._call(webhook, delivery)
        with UnitOfWork(self._engine) as uow:
            outcome = self._write(uow, webhook, delivery, status, error)
            uow.commit()
        WEBHOOK_ATTEMPTS.labels(outcome).inc()

    def _call(self, webhook: Webhook, delivery: Delivery) -> tuple[int | None, str | None]:
        body = json.dumps(delivery.event, separators=(",", ":"), ensure_ascii=False)
        at = datetime.now(UTC)
        headers = {
            "Content-Type": CONTENT_TYPE,
            "User-Agent": "liveness-webhooks",
            "webhook-id": str(delivery.event["id"]),
            "webhook-timestamp": str(int(at.timestamp())),
            # Several, with a space between, as Standard Webhooks has it: a receiver takes whichever it knows.
            "webhook-signature": " ".join(
                Signer(secret).sign(str(delivery.event["id"]), at, body) for secret in webhook.secrets_at(now())
            ),
        }
        try:
            status = call(webhook.url, body.encode(), headers, private=self._private)
        except Refused as refused:
            return None, f"not called: {refused}"
        except (OSError, http.client.HTTPException, ValueError) as error:
            return None, (type(error).__name__ + ": " + str(error))[:200]
        return status, None if 200 <= status < 300 else f"answered {status}"

    def _write(
        self, uow: UnitOfWork, webhook: Webhook, delivery: Delivery, status: int | None, error: str | None
    ) -> Literal["delivered", "put_off", "given_up"]:
        attempts, at = delivery.attempts + 1, now()
        told: dict[str, Any] = {"attempts": attempts, "last_at": at, "last_status": status, "last_error": error}
        if error is None:
            uow.webhooks.attempted(delivery.id, status=Status.DELIVERED.value, next_at=None, **told)
            uow.webhooks.change(webhook.id, failing_since=None)
            return "delivered"
        left = attempts <= len(SCHEDULE)
        pause = SCHEDULE[attempts - 1] * random.uniform(1 - JITTER, 1 + JITTER) if left else 0.0  # noqa: S311 - no secret
        uow.webhooks.attempted(
            delivery.id,
            status=(Status.PENDING if left else Status.FAILED).value,
            next_at=at + pause if left else None,
            **told,
        )
        log.info(
            "webhook.attempt_failed", webhook_id=webhook.id, delivery_id=delivery.id, attempts=attempts, error=error
        )
        uow.webhooks.fails_since(webhook.id, at)
        if status == http.HTTPStatus.GONE:
            self._disable(uow, webhook, GONE)
        elif webhook.failing_since is not None and at - webhook.failing_since > FAILING:
            self._disable(uow, webhook, FAILED_TOO_LONG)
        return "put_off" if left else "given_up"

    def _disable(self, uow: UnitOfWork, webhook: Webhook, reason: str) -> None:
        uow.webhooks.change(webhook.id, enabled=False, disabled_reason=reason)
        log.warning("webhook.disabled", webhook_id=webhook.id, reason=reason)


def declare(broker: Broker, deliverer: Deliverer) -> None:
    """Have the workers of `broker` attempt deliveries."""
    dramatiq.actor(actor_name=DELIVER_WEBHOOK, queue_name=WEBHOOKS, broker=broker)(_named(deliverer))


def _named(deliverer: Deliverer) -> Any:
    def deliver_webhook(delivery_id: str) -> None:
        deliverer.attempt(delivery_id)

    return deliver_webhook
