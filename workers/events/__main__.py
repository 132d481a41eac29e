"""Runs the relay, which publishes events at EVENTS_URL, and the webhooks, which consume them, until SIGTERM or SIGINT."""

from __future__ import annotations

import signal
import threading

import structlog
from dramatiq import Worker

from shared.at_start import refuse_unusable
from shared.db import make_engine
from shared.db.webhook_secrets import WebhookSecrets
from shared.own_secrets import keep_own
from shared.queue.broker import make_broker
from shared.queue.messages import WEBHOOK_CALLS, WEBHOOKS
from shared.redis import timekeeping
from shared.redis.client import make_redis
from shared.settings import load_settings_or_exit
from shared.telemetry.correlation import Correlation
from shared.telemetry.logs import configure_logging
from shared.telemetry.metrics.messages import Metering
from shared.telemetry.metrics.pushing import Pusher, started
from workers.events import webhooks
from workers.events.publisher import Publisher
from workers.events.relay import Relay

log = structlog.get_logger("workers.events")


def main() -> None:
    """Run the process until SIGTERM or SIGINT."""
    keep_own("events")
    settings = load_settings_or_exit()
    configure_logging(settings)
    refuse_unusable(settings)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _signal, _frame: stopping.set())
    engine = make_engine(settings.database_url, pool_size=4)
    keeping = timekeeping.keep_time(make_redis(settings.redis_url))
    pusher = started(Pusher(make_redis(settings.redis_url))) if settings.counts else None
    due = threading.Event()
    metering = [Metering()] if settings.counts else []
    broker = make_broker(settings, [*metering, Correlation()])
    secrets = WebhookSecrets(lambda: engine, settings.token_secret)
    webhooks.declare(broker, webhooks.Deliverer(engine, private=settings.webhooks_private, due=due, secrets=secrets))
    parts = (
        Relay(engine, Publisher(settings.events_url, [webhooks.QUEUE]), settings.issuer),
        webhooks.Fanout(engine, settings.events_url, due),
        webhooks.Dispatcher(engine, broker, due),
        webhooks.Sealer(secrets),
    )
    worker = Worker(broker, queues={WEBHOOKS}, worker_threads=WEBHOOK_CALLS)
    worker.start()
    for part in parts:
        part.start()
    log.info("events.started")
    stopping.wait()
    for part in parts:
        part.stop()
    worker.stop(timeout=10_000)
    broker.close()
    if pusher is not None:
        pusher.close()
    keeping.close()
    engine.dispose()
    log.info("events.stopped")


if __name__ == "__main__":
    main()
