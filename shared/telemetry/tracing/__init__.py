"""Traces each request from the API through the queue to the worker, if OTEL_EXPORTER_OTLP_ENDPOINT is set.

Without that setting nothing of OpenTelemetry is imported, and these functions do nothing. Its packages are optional
(requirements/tracing.txt); if the setting is present but they are missing, the process ends with a sentence that says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dramatiq import Middleware

from shared.settings import Settings, refuse

if TYPE_CHECKING:
    from sqlalchemy import Engine

_started = False


def start(settings: Settings, role: str) -> bool:
    """Trace this process from now on if the settings ask for it; return whether they do.

    role: "web" or "worker", part of the service's name in traces. Call it before the engine, Redis clients and broker are
    created. Ends the process if OpenTelemetry is not installed.
    """
    global _started  # noqa: PLW0603 - a process can set OpenTelemetry's provider only once
    if settings.otel_exporter_otlp_endpoint is None:
        return False
    if not _started:
        try:
            from shared.telemetry.tracing import spans  # noqa: PLC0415 - only if traces are wanted
        except ImportError as error:
            refuse(
                f"Not started: OTEL_EXPORTER_OTLP_ENDPOINT is set, and {error.name} is not installed. "
                "Install requirements/tracing.txt, or unset it."
            )
        spans.begin(settings.otel_exporter_otlp_endpoint, role, settings.otel_traces_sampler_arg)
        _started = True
    return True


def middleware(settings: Settings, role: str) -> list[Middleware]:
    """The middleware that carries traces over the queue, for senders and workers alike; empty without traces."""
    if not start(settings, role):
        return []
    from shared.telemetry.tracing.spans import TracedMessages  # noqa: PLC0415

    return [TracedMessages()]


def watch(engine: Engine) -> Engine:
    """Trace an engine's statements if this process is traced; returns the engine."""
    if _started:
        from shared.telemetry.tracing import spans  # noqa: PLC0415

        spans.watch(engine)
    return engine
