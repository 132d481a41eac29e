"""Traces: one for each request, from the API through the queue to the worker, where OTEL_EXPORTER_OTLP_ENDPOINT is set.

Without that setting nothing of OpenTelemetry is imported, and everything here does nothing. Its packages are an addition
(requirements/tracing.txt); where they are missing although the setting is there, the process says so and ends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dramatiq import Middleware

from shared.settings import Settings, refuse

if TYPE_CHECKING:
    from sqlalchemy import Engine

_started = False


def start(settings: Settings, role: str) -> bool:
    """Trace this process from now on, if traces are wanted; whether they are.

    role: "web" or "worker", for the service's name. To be called before the parts that are traced are made.
    """
    global _started  # noqa: PLW0603 - a process is traced once, as OpenTelemetry's own provider is set once
    if settings.otel_exporter_otlp_endpoint is None:
        return False
    if not _started:
        try:
            from shared.telemetry.tracing import spans  # noqa: PLC0415 - only where traces are wanted
        except ImportError as error:
            refuse(
                f"Not started: OTEL_EXPORTER_OTLP_ENDPOINT is set, and {error.name} is not installed. "
                "Install requirements/tracing.txt, or unset it."
            )
        spans.begin(settings.otel_exporter_otlp_endpoint, role, settings.otel_traces_sampler_arg)
        _started = True
    return True


def middleware(settings: Settings, role: str) -> list[Middleware]:
    """What carries traces over the queue: for whoever sends messages and whoever works on them."""
    if not start(settings, role):
        return []
    from shared.telemetry.tracing.spans import TracedMessages  # noqa: PLC0415

    return [TracedMessages()]


def watch(engine: Engine) -> Engine:
    """The same engine, its statements traced where this process is."""
    if _started:
        from shared.telemetry.tracing import spans  # noqa: PLC0415

        spans.watch(engine)
    return engine
