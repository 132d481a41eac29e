"""Traces of requests, if tracing is on (shared/telemetry/tracing)."""

from __future__ import annotations

from flask import Flask

from shared.settings import Settings
from shared.telemetry import tracing

#: Paths without traces: machines ask for them every few seconds.
UNTRACED = "livez,readyz,metrics"


def install(app: Flask, settings: Settings) -> None:
    """Trace each request of the app, as a part of its caller's trace if there is one."""
    if not tracing.start(settings, "web"):
        return
    from opentelemetry.instrumentation.flask import FlaskInstrumentor  # noqa: PLC0415 - an optional dependency

    FlaskInstrumentor().instrument_app(app, excluded_urls=UNTRACED)
