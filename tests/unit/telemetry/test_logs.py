from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from shared.settings import Settings
from shared.telemetry.logs import configure_logging


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def fail_with_a_picture() -> None:
    picture = b"pix" + b"els"
    raise RuntimeError("broken") from ValueError(len(picture))


@pytest.mark.parametrize("log_format", ["console", "json"])
def test_a_traceback_shows_no_values_of_variables(capsys, log_format):
    configure_logging(Settings(log_format=log_format))
    try:
        fail_with_a_picture()
    except RuntimeError:
        structlog.get_logger("ours").exception("frame.not_judged")
        logging.getLogger("theirs").exception("it failed")
    said = capsys.readouterr().err
    assert said.count("RuntimeError: broken") == 2
    assert said.count("in fail_with_a_picture") == 2
    assert "pixels" not in said


def test_lines_of_structlog_and_of_libraries_look_the_same_to_a_machine(capsys):
    configure_logging(Settings(log_format="json"))
    with structlog.contextvars.bound_contextvars(session_id="s1"):
        structlog.get_logger("ours").info("frame.judged", passed=True)
        logging.getLogger("theirs").warning("%d things", 3)
    ours, theirs = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert (ours["event"], ours["logger"], ours["level"], ours["passed"]) == ("frame.judged", "ours", "info", True)
    assert (theirs["event"], theirs["logger"], theirs["level"]) == ("3 things", "theirs", "warning")
    assert ours["session_id"] == theirs["session_id"] == "s1"
    assert ours["timestamp"].endswith("Z")


def test_the_level_holds_for_everybody_and_skipped_messages_are_not_told(capsys):
    configure_logging(Settings(log_level="WARNING"))
    structlog.get_logger("ours").info("hidden")
    logging.getLogger("theirs").info("hidden")
    logging.getLogger("dramatiq.worker.WorkerThread").warning("Message was skipped.")
    assert capsys.readouterr().err == ""
