"""Webhooks: consumes the published events and delivers them to the endpoints that the API knows.

`Fanout` turns each event into a delivery, a row for each endpoint that wants the event, and only then acknowledges the
event. `Dispatcher` hands due deliveries to the queue, and `Deliverer` attempts them in dramatiq's threads. The time of the
next attempt is in the row and not in a delayed message, which a Redis without persistence would lose.

One endpoint cannot hold up the others: it has IN_FLIGHT calls at a time, and after OPEN_AFTER failures in a row its circuit
opens, so that it has one call, a probe, after a pause that grows. What is in flight and what is paused is in the rows, and
so holds for all processes.
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
from shared.db.webhook_secrets import Unreadable, WebhookSecrets
from shared.queue.messages import DELIVER_WEBHOOK, WEBHOOKS, QueueUnavailable, enqueue_delivery
from shared.redis.timekeeping import now
from shared.telemetry.metrics.table import WEBHOOK_ATTEMPTS
from shared.webhooks import FAILED_TOO_LONG, FAILING, GONE, IN_FLIGHT, JITTER, SCHEDULE, Delivery, Status, Webhook
from workers.events.calling import Refused, call
from workers.events.cloudevents import CONTENT_TYPE, connect, durable_queue

log = structlog.get_logger(__name__)

#: The queue in which events wait for `Fanout`.
QUEUE = durable_queue("liveness.webhooks", "liveness.#")

#: Seconds between two searches for due deliveries.
TICK = 1.0
#: Seconds until a delivery is tried again whose webhook's secret could not be unsealed.
UNREADABLE = 300.0
UNSEALED_ERROR = "the webhook's secret was sealed with another TOKEN_SECRET; POST …/secret gives it a new one"
#: Seconds between two looks for secrets in clear, of an earlier version. The first comes after as long, when a rolling
#: deployment is over: earlier versions cannot sign with a sealed secret.
SEALING = 600.0
#: Seconds after which a delivery that was handed to the queue without a result is attempted again: its worker was killed.
LOST = 120.0


class Fanout(ConsumerMixin, threading.Thread):
    """A thread that creates a delivery of each event for each endpoint that wants it."""

    def __init__(self, engine: Engine, url: str, due: threading.Event) -> None:
        """due: an event that is set when deliveries have been created."""
        threading.Thread.__init__(self, name="fanout", daemon=True)
        self.connection = connect(url, heartbeat=20)
        self._engine = engine
        self._due = due

    def get_consumers(self, consumer: Any, _channel: Any) -> list[Any]:
        """The one consumer of QUEUE."""
        return [consumer(QUEUE, on_message=self.take, prefetch_count=20)]

    def on_connection_error(self, exc: BaseException, interval: float) -> None:
        """Log that the broker is unavailable; kombu connects again."""
        log.warning("webhooks.no_broker", error=repr(exc), again_in=interval)

    def stop(self) -> None:
        """Stop after the current event, and wait for the thread to end."""
        self.should_stop = True
        self.join(5)

    def take(self, message: Any) -> None:
        """Create the deliveries of one event, and acknowledge its message."""
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
            log.exception("webhooks.no_event")  # not one of our events: redelivery would not help
            message.ack()
        except Exception:
            log.exception("webhooks.not_taken")  # mostly the database is unavailable: the event stays in its queue
            time.sleep(1.0)
            message.requeue()
        else:
            message.ack()


class Dispatcher(threading.Thread):
    """A thread that hands due deliveries to dramatiq's queue."""

    def __init__(self, engine: Engine, broker: Broker, due: threading.Event) -> None:
        super().__init__(name="dispatcher", daemon=True)
        self._engine = engine
        self._broker = broker
        self._due = due
        self._stopped = False

    def run(self) -> None:
        """Dispatch until `stop` is called."""
        while not self._stopped:
            try:
                while self.step() and not self._stopped:
                    pass
            except Exception:
                log.exception("webhooks.not_dispatched")  # mostly the database is unavailable; deliveries stay due
            self._due.wait(TICK)
            self._due.clear()

    def stop(self) -> None:
        """Stop, and wait for the thread to end."""
        self._stopped = True
        self._due.set()
        self.join(5)

    def step(self) -> bool:
        """Hand what may be attempted now to the queue; return whether more may be due."""
        with UnitOfWork(self._engine, read_only=True) as uow:
            if not uow.webhooks.any_due(now()):
                return False
        with UnitOfWork(self._engine) as uow:
            ids = uow.webhooks.due(now(), IN_FLIGHT, LOST)
            uow.commit()
        for delivery_id in ids:
            try:
                enqueue_delivery(self._broker, delivery_id)
            except QueueUnavailable as error:
                log.warning("webhooks.no_queue", error=str(error))
                return False  # the rest is attempted again after LOST seconds
        return False


class Deliverer:
    """Attempts deliveries by calling their endpoints."""

    def __init__(
        self,
        engine: Engine,
        *,
        private: bool,
        due: threading.Event | None = None,
        secrets: WebhookSecrets | None = None,
    ) -> None:
        """private: whether plain http and addresses inside the private network may be called.

        secrets: unseals the secrets; by default with the root secret in the database.
        due: an event that is set after each attempt, which has made room for another one to the same endpoint.
        """
        self._engine = engine
        self._private = private
        self._due = due
        self._secrets = secrets or WebhookSecrets(lambda: engine, None)

    def attempt(self, delivery_id: str) -> None:
        """Call the endpoint of a pending delivery, and record the result; does nothing for any other delivery."""
        with UnitOfWork(self._engine, read_only=True) as uow:
            delivery = uow.webhooks.delivery(delivery_id)
            webhook = uow.webhooks.get(delivery.webhook_id) if delivery is not None else None
        if delivery is None or webhook is None or not webhook.enabled or delivery.status is not Status.PENDING:
            return
        try:
            webhook = self._secrets.unsealed(webhook)
        except Unreadable:
            self._put_off(delivery)
            return
        status, error = self._call(webhook, delivery)
        with UnitOfWork(self._engine) as uow:
            outcome = self._record(uow, webhook, delivery, status, error)
            uow.commit()
        WEBHOOK_ATTEMPTS.labels(outcome).inc()
        if self._due is not None:
            self._due.set()

    def _put_off(self, delivery: Delivery) -> None:
        """Let a delivery wait whose webhook's secret cannot be unsealed: this is no failure of the endpoint."""
        remedy = "give the process `events` the TOKEN_SECRET of the web processes, or the webhook a new secret"
        log.error("webhook.secret_unreadable", webhook_id=delivery.webhook_id, remedy=remedy)
        with UnitOfWork(self._engine) as uow:
            uow.webhooks.attempted(delivery.id, next_at=now() + UNREADABLE, last_error="not called: " + UNSEALED_ERROR)
            uow.commit()

    def _call(self, webhook: Webhook, delivery: Delivery) -> tuple[int | None, str | None]:
        body = json.dumps(delivery.event, separators=(",", ":"), ensure_ascii=False)
        at = datetime.now(UTC)
        headers = {
            "Content-Type": CONTENT_TYPE,
            "User-Agent": "liveness-webhooks",
            "webhook-id": str(delivery.event["id"]),
            "webhook-timestamp": str(int(at.timestamp())),
            # Standard Webhooks allows several signatures, separated by spaces; the receiver accepts any that it can verify.
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

    def _record(
        self, uow: UnitOfWork, webhook: Webhook, delivery: Delivery, status: int | None, error: str | None
    ) -> Literal["delivered", "put_off", "given_up"]:
        attempts, at = delivery.attempts + 1, now()
        result: dict[str, Any] = {"attempts": attempts, "last_at": at, "last_status": status, "last_error": error}
        if error is None:
            uow.webhooks.attempted(delivery.id, status=Status.DELIVERED.value, next_at=None, **result)
            uow.webhooks.succeeded(webhook.id)
            return "delivered"
        again = attempts <= len(SCHEDULE)
        pause = SCHEDULE[attempts - 1] * random.uniform(1 - JITTER, 1 + JITTER) if again else 0.0  # noqa: S311 - no secret
        uow.webhooks.attempted(
            delivery.id,
            status=(Status.PENDING if again else Status.FAILED).value,
            next_at=at + pause if again else None,
            **result,
        )
        log.info(
            "webhook.attempt_failed", webhook_id=webhook.id, delivery_id=delivery.id, attempts=attempts, error=error
        )
        paused_until = uow.webhooks.failed(webhook.id, at)
        if paused_until is not None:
            log.warning("webhook.paused", webhook_id=webhook.id, seconds=paused_until - at)
        if status == http.HTTPStatus.GONE:
            self._disable(uow, webhook, GONE)
        elif webhook.failing_since is not None and at - webhook.failing_since > FAILING:
            self._disable(uow, webhook, FAILED_TOO_LONG)
        return "put_off" if again else "given_up"

    def _disable(self, uow: UnitOfWork, webhook: Webhook, reason: str) -> None:
        uow.webhooks.change(webhook.id, enabled=False, disabled_reason=reason)
        log.warning("webhook.disabled", webhook_id=webhook.id, reason=reason)


class Sealer(threading.Thread):
    """A thread that seals the secrets of webhooks that an earlier version has left in clear."""

    def __init__(self, secrets: WebhookSecrets) -> None:
        super().__init__(name="sealer", daemon=True)
        self._secrets = secrets
        self._stopped = threading.Event()

    def run(self) -> None:
        """Look every SEALING seconds until `stop` is called."""
        while not self._stopped.wait(SEALING):
            try:
                self._secrets.seal_all()
            except Exception:
                log.exception("webhooks.secrets_not_sealed")  # mostly the database is unavailable; tried again later

    def stop(self) -> None:
        """Stop, and wait for the thread to end."""
        self._stopped.set()
        self.join(5)


def declare(broker: Broker, deliverer: Deliverer) -> None:
    """Declare the actor that attempts deliveries on `broker`."""
    dramatiq.actor(actor_name=DELIVER_WEBHOOK, queue_name=WEBHOOKS, broker=broker)(_actor_function(deliverer))


def _actor_function(deliverer: Deliverer) -> Any:
    def deliver_webhook(delivery_id: str) -> None:
        deliverer.attempt(delivery_id)

    return deliver_webhook
