"""Logs: one line an event on standard error, for people or for machines, whoever wrote it.

Our own lines (structlog) and those of libraries (logging) go through the same ProcessorFormatter. No picture, no token,
no key and no descriptor belongs in a line: an exception is shown by its traceback alone, never with the values of its
variables, one of which may be a picture; and whatever a line does hold goes through `shared.telemetry.scrub` last.
"""

from __future__ import annotations

import logging
import sys

import structlog
from structlog.typing import Processor

from shared.settings import Settings
from shared.telemetry.scrub import scrub

#: Libraries that say more than anyone wants to read, and the least that we let them say.
_QUIET = {
    "pika": logging.CRITICAL,  # a lost connection is told by dramatiq as well
    # Each message that was dropped for its age: under overload these are all of them. What fails is told at ERROR.
    "dramatiq.worker.WorkerThread": logging.ERROR,
    "PIL": logging.INFO,
}


def configure_logging(settings: Settings) -> None:
    """Set the logs of this process up; whatever was set up before is replaced."""
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
    # An exception becomes text before it is scrubbed: it may quote an address, and an address may hold a password.
    before: list[Processor] = [structlog.processors.format_exc_info, scrub]
    if settings.log_format == "json":
        return [*before, structlog.processors.JSONRenderer()]
    return [
        *before,
        structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            exception_formatter=structlog.dev.plain_traceback,  # rich's shows the variables' values
        ),
    ]
