"""/metrics for Prometheus: the counts of all processes, guarded by METRICS_TOKEN.

Without that setting the path does not exist, and nothing is counted.
"""

from __future__ import annotations

import hmac

import structlog
from flask import Blueprint, Flask, Response, after_this_request, request
from prometheus_client import CollectorRegistry, generate_latest
from sqlalchemy.exc import SQLAlchemyError

from api.context import arrived_at, problem_code
from api.refusals import refusal
from api.resources import Resources, resources
from shared.db import UnitOfWork
from shared.handoff import worker_presence
from shared.queue import backlog
from shared.queue.messages import FRAMES, IDENTITY, REFERENCES, WEBHOOKS
from shared.redis.timekeeping import now
from shared.telemetry.metrics.gathering import Gauges, Totals
from shared.telemetry.metrics.table import (
    EVENTS_OLDEST,
    EVENTS_WAITING,
    PROBLEMS,
    QUEUE_LENGTH,
    QUEUE_OLDEST,
    REQUEST_SECONDS,
    REQUESTS,
    WEBHOOKS_DISABLED,
    WEBHOOKS_PAUSED,
    WORKERS,
)
from shared.webhooks import FAILED_TOO_LONG, GONE

metrics = Blueprint("metrics", __name__)

log = structlog.get_logger(__name__)

#: Label of requests without a route: each path that somebody tries must not become a label.
NO_RULE = "none"
#: Methods that are labels; a client may invent others.
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})


def install(app: Flask, deps: Resources) -> None:
    """Count the app's requests and serve /metrics, if METRICS_TOKEN is set."""
    if deps.settings.metrics_token is None:
        return
    app.before_request(deps.start_counting)
    app.after_request(_count)
    app.register_blueprint(metrics)


def _count(response: Response) -> Response:
    rule = request.url_rule.rule if request.url_rule else NO_RULE
    method = request.method if request.method in _METHODS else "other"
    REQUESTS.labels(rule, method, str(response.status_code)).inc()
    REQUEST_SECONDS.labels(rule).observe(max(0.0, now() - arrived_at()))
    if (code := problem_code()) is not None:
        PROBLEMS.labels(code).inc()
    return response


@metrics.get("/metrics")
def show() -> Response:
    """All metrics of shared/telemetry/metrics/table.py, in Prometheus' text format."""
    _refuse_strangers()
    deps = resources()
    registry = CollectorRegistry()
    registry.register(Totals(deps.redis, _gauges(deps)))
    return Response(generate_latest(registry), content_type="text/plain; version=0.0.4; charset=utf-8")


def _refuse_strangers() -> None:
    token = resources().settings.metrics_token
    given = request.authorization
    shown = given.token or "" if given is not None and given.type == "bearer" else ""
    if token is None or not hmac.compare_digest(shown.encode(), token.get_secret_value().encode()):
        after_this_request(_ask_for_token)
        raise refusal("metrics_token")


def _ask_for_token(response: Response) -> Response:
    response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _gauges(deps: Resources) -> Gauges:
    """The gauges, read now. One that cannot be read is left out, so that it shows as missing."""
    at = now()
    queues: tuple[str, ...] = (FRAMES, IDENTITY) if deps.settings.needs_identity_worker else (FRAMES,)
    if deps.settings.identity:
        queues = (*queues, REFERENCES)
    waiting = {queue: _looked_up(deps, queue) for queue in (*queues, WEBHOOKS)}
    return {
        WORKERS.name: {(queue,): worker_presence.seen_lately(deps.redis, at, queue) for queue in queues},
        QUEUE_LENGTH.name: {(q,): float(seen.length) for q, seen in waiting.items() if seen},
        QUEUE_OLDEST.name: {
            (q,): max(0.0, at - seen.oldest_at) if seen.oldest_at is not None else 0.0
            for q, seen in waiting.items()
            if seen
        },
        **_events(deps, at),
    }


def _events(deps: Resources, at: float) -> Gauges:
    try:
        with UnitOfWork(deps.engine, read_only=True) as uow:
            length, oldest_at = uow.outbox.backlog()
            disabled = uow.webhooks.disabled()
            paused = uow.webhooks.paused(at)
    except SQLAlchemyError as error:
        log.warning("metrics.database_away", error=type(error).__name__)
        return {}
    return {
        EVENTS_WAITING.name: {(): float(length)},
        EVENTS_OLDEST.name: {(): 0.0 if oldest_at is None else max(0.0, at - oldest_at)},
        WEBHOOKS_DISABLED.name: {(reason,): float(disabled.get(reason, 0)) for reason in (GONE, FAILED_TOO_LONG)},
        WEBHOOKS_PAUSED.name: {(): float(paused)},
    }


def _looked_up(deps: Resources, queue: str) -> backlog.Backlog | None:
    try:
        return backlog.look(deps.broker, queue)
    except Exception as error:  # noqa: BLE001 - after any error of a broker, the other metrics are served
        log.warning("metrics.queue_away", error=repr(error))
        return None
