"""Traces of requests, where they are wanted (shared/telemetry/tracing)."""

from __future__ import annotations

from flask import Flask

from shared.settings import Settings
from shared.telemetry import tracing

#: Asked for every few seconds by machines.
UNTRACED = "livez,readyz,metrics"


def install(app: Flask, settings: Settings) -> None:
    """Have each request of the app be a trace, or a part of its caller's."""
    if not tracing.start(settings, "web"):
        return
    from opentelemetry.instrumentation.flask import FlaskInstrumentor  # noqa: PLC0415 - only where traces are wanted

    FlaskInstrumentor().instrument_app(app, excluded_urls=UNTRACED)
