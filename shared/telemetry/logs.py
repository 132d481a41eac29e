"""Sets up logging: one line for each event on standard error, for people or for machines.

Our own lines (structlog) and those of libraries (logging) pass through the same ProcessorFormatter. No line may hold a
picture, token, key or descriptor: an exception is shown by its traceback, without the values of variables, and
`shared.telemetry.scrub` cleans every line last.
"""

from __future__ import annotations

import logging
import sys

import structlog
from structlog.typing import Processor

from shared.settings import Settings
from shared.telemetry.scrub import scrub

#: Lowest level that is logged of libraries that log too much.
_QUIET = {
    "pika": logging.CRITICAL,  # dramatiq logs a lost connection too
    # A line for each message that was skipped for its age, many under overload; failures are logged as ERROR.
    "dramatiq.worker.WorkerThread": logging.ERROR,
    "PIL": logging.INFO,
}


def configure_logging(settings: Settings) -> None:
    """Set up logging for this process by LOG_LEVEL and LOG_FORMAT; any earlier set-up is replaced."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_renderers(settings)],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level)
    for name, level in _QUIET.items():
        logging.getLogger(name).setLevel(level)


def _renderers(settings: Settings) -> list[Processor]:
    # An exception is formatted before it is scrubbed, since it may quote an address that holds a password.
    before: list[Processor] = [structlog.processors.format_exc_info, scrub]
    if settings.log_format == "json":
        return [*before, structlog.processors.JSONRenderer()]
    return [
        *before,
        structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            exception_formatter=structlog.dev.plain_traceback,  # rich's formatter shows the values of variables
        ),
    ]
