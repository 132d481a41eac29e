"""Health checks: /livez asks this process alone, /readyz every part that a frame passes through."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from dramatiq.brokers.redis import RedisBroker
from flask import Response
from flask_openapi import APIBlueprint, Tag
from redis.exceptions import RedisError

from api.resources import Resources, resources
from api.schemas import Live, Ready
from api.sessions import json_of
from shared.db import ping as ping_database
from shared.handoff import worker_presence
from shared.queue.messages import FRAMES, IDENTITY
from shared.redis.timekeeping import now

health = APIBlueprint(
    "health", __name__, abp_tags=[Tag(name="Health", description="For load balancers and operators.")]
)

log = structlog.get_logger(__name__)


class _Missing(Exception):
    """A part is missing; the text says more than the part's sentence in `CHECKS`."""


def _check_redis(deps: Resources) -> None:
    deps.redis.ping()


def _check_database(deps: Resources) -> None:
    ping_database(deps.engine)


def _check_queue(deps: Resources) -> None:
    broker = deps.broker
    if isinstance(broker, RabbitmqBroker):
        # Marked as undeclared, the queue is declared again: this asks the server, on this thread's connection.
        broker.queues_pending.add(FRAMES)
        broker.declare_queue(FRAMES, ensure=True)
    elif isinstance(broker, RedisBroker):
        broker.client.ping()


def _check_workers(deps: Resources) -> None:
    if not _seen(deps, FRAMES):
        raise _Missing("No worker has been seen lately: start one, or look at its log.")


def _check_identity(deps: Resources) -> None:
    if deps.settings.identity and not _seen(deps, IDENTITY):
        raise _Missing(
            "No worker of the queue `identity` has been seen lately: start one, look at its log, or set IDENTITY=off."
        )


def _seen(deps: Resources, queue: str) -> int:
    try:
        return worker_presence.seen_lately(deps.redis, now(), queue)
    except RedisError:
        raise _Missing("Cannot be told without Redis.") from None


#: The parts by name: a function that raises if the part is missing, and the sentence for that case.
CHECKS: dict[str, tuple[Callable[[Resources], None], str]] = {
    "redis": (_check_redis, "Redis at REDIS_URL does not answer."),
    "database": (_check_database, "The database at DATABASE_URL does not answer, or has not been migrated."),
    "queue": (_check_queue, "The queue at QUEUE_URL does not answer."),
    "workers": (_check_workers, "It cannot be told whether there is a worker."),
    "identity": (_check_identity, "It cannot be told whether there is a worker that compares faces."),
}


@health.get("/livez", operation_id="livez", responses={200: Live})
def livez() -> Response:
    """Check whether this process answers.

    It checks nothing else: a process must not be restarted because a part that it needs is away.
    """
    return json_of(Live())


@health.get("/readyz", operation_id="readyz", responses={200: Ready, 503: Ready})
def readyz() -> Response:
    """Check whether frames can be judged.

    It checks Redis, the database, the queue and the workers, and answers 503 with a sentence for each part that is missing.
    """
    checks = {name: _outcome(name, check, missing) for name, (check, missing) in CHECKS.items()}
    ready = all(outcome == "ok" for outcome in checks.values())
    return json_of(Ready(status="ready" if ready else "not_ready", checks=checks), 200 if ready else 503)


def _outcome(name: str, check: Callable[[Resources], None], missing: str) -> str:
    try:
        check(resources())
    except _Missing as reason:
        return str(reason)
    except Exception as error:  # noqa: BLE001 - after any error the part cannot be used
        log.warning("not_ready", part=name, error=repr(error))
        return missing
    return "ok"
