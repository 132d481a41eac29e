"""The process: the relay, until SIGTERM or SIGINT."""

from __future__ import annotations

import signal
import threading

import structlog

from shared import timekeeping
from shared.db import make_engine
from shared.logs import configure_logging
from shared.metrics.pushing import Pusher, started
from shared.redis import make_redis
from shared.settings import load_settings_or_exit
from workers.events.publisher import Publisher
from workers.events.relay import Relay

log = structlog.get_logger(__name__)


def main() -> None:
    """Run until SIGTERM or SIGINT."""
    settings = load_settings_or_exit()
    configure_logging(settings)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _signal, _frame: stopping.set())
    engine = make_engine(settings.database_url, pool_size=1)
    keeping = timekeeping.keep_time(make_redis(settings.redis_url))
    pusher = started(Pusher(make_redis(settings.redis_url))) if settings.metrics_token is not None else None
    relay = Relay(engine, Publisher(settings.events_url), settings.issuer)
    relay.start()
    log.info("events.started")
    stopping.wait()
    relay.stop()
    if pusher is not None:
        pusher.close()
    keeping.close()
    engine.dispose()
    log.info("events.stopped")


if __name__ == "__main__":
    main()
