"""Sets up OpenTelemetry, with a middleware of our own for dramatiq, which has no reliable instrumentation.

Attributes of spans are ids, names and numbers. Statements of the database and commands of Redis are recorded with
placeholders, so that no picture, descriptor or measure of a face is exported.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from typing import Any

from dramatiq import Broker, Message, MessageProxy, Middleware, Worker
from opentelemetry import propagate, trace
from opentelemetry.context import Context, attach, detach
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.redis import RedisInstrumentor
from opentelemetry.instrumentation.sqlalchemy import SQLAlchemyInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import (
    Decision,
    ParentBased,
    Sampler,
    SamplingResult,
    TraceIdRatioBased,
)
from opentelemetry.trace import Link, SpanKind, Status, StatusCode, TraceState
from opentelemetry.util.types import Attributes
from sqlalchemy import Engine

_TRACER = trace.get_tracer("liveness.queue")


class OfRequests(Sampler):
    """A sampler that begins traces only at requests and messages, not at idle consumers, heartbeats or chores."""

    def __init__(self, share: float) -> None:
        """share: share of those requests and messages that is traced, 0 to 1."""
        self._by_share = TraceIdRatioBased(share)

    def should_sample(  # noqa: PLR0917 - OpenTelemetry's own signature
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """Decide whether to record the first span of a trace."""
        if kind in (SpanKind.SERVER, SpanKind.CONSUMER):
            return self._by_share.should_sample(parent_context, trace_id, name, kind, attributes, links, trace_state)
        return SamplingResult(Decision.DROP)

    def get_description(self) -> str:
        """The sampler's description in exported data."""
        return f"OfRequests{{{self._by_share.get_description()}}}"


def begin(endpoint: str, role: str, share: float) -> None:
    """Send this process's spans to a collector by OTLP over HTTP.

    endpoint: base address of the collector; role: part of the service's name, unless OTEL_SERVICE_NAME gives one; share: of
    requests that are traced, 0 to 1. OpenTelemetry reads its other environment variables itself.
    """
    name = os.environ.get("OTEL_SERVICE_NAME") or f"liveness-{role}"
    provider = TracerProvider(
        resource=Resource.create({"service.name": name}), sampler=ParentBased(root=OfRequests(share))
    )
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter))  # restarts its thread after a fork
    trace.set_tracer_provider(provider)
    RedisInstrumentor().instrument(tracer_provider=provider)


def watch(engine: Engine) -> None:
    """Trace an engine's statements."""
    SQLAlchemyInstrumentor().instrument(engine=engine)


class TracedMessages(Middleware):
    """Middleware that carries a trace in a message's options, and records the sending and the processing as spans."""

    def __init__(self) -> None:
        self._working = threading.local()

    def before_enqueue(self, _broker: Broker, message: Message[Any], _delay: int | None) -> None:
        """Record a span for the sending, the parent of the processing; does nothing outside of a trace."""
        if not trace.get_current_span().get_span_context().is_valid:
            return
        span = _TRACER.start_span(f"send {message.queue_name}", kind=SpanKind.PRODUCER, attributes=_about(message))
        propagate.inject(message.options, context=trace.set_span_in_context(span))
        span.end()

    def before_process_message(self, _broker: Broker, message: MessageProxy) -> None:
        """Begin the span of the processing."""
        span = _TRACER.start_span(
            f"work {message.actor_name}",
            context=propagate.extract(message.options),
            kind=SpanKind.CONSUMER,
            attributes=_about(message),
        )
        self._working.span, self._working.token = span, attach(trace.set_span_in_context(span))

    def after_process_message(
        self,
        _broker: Broker,
        _message: MessageProxy,
        *,
        result: Any = None,
        exception: BaseException | None = None,
    ) -> None:
        """End the span; a failure is recorded by the exception's type, without its message."""
        del result
        self._end(None if exception is None else type(exception).__name__)

    def after_skip_message(self, *_: Any) -> None:
        """End the span of a message that was too old."""
        self._end("skipped")

    def after_worker_shutdown(self, _broker: Broker, _worker: Worker) -> None:
        """Export the remaining spans and close the exporter, since dramatiq's processes end without `atexit`."""
        provider = trace.get_tracer_provider()
        if isinstance(provider, TracerProvider):
            provider.shutdown()

    def _end(self, fault: str | None) -> None:
        detach(self._working.token)
        if fault is not None:
            self._working.span.set_status(Status(StatusCode.ERROR, fault))
        self._working.span.end()
        del self._working.span, self._working.token


def _about(message: Message[Any] | MessageProxy) -> dict[str, str]:
    about = {
        "messaging.system": "dramatiq",
        "messaging.destination.name": message.queue_name,
        "messaging.message.id": message.message_id,
    }
    if isinstance(session_id := message.kwargs.get("session_id"), str):
        about["liveness.session_id"] = session_id
    return about
