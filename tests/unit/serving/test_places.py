"""The list in `api.serving` of all places in which a frame can be turned away is held to the code."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest
from flask_openapi import OpenAPI

from api import serving
from api.problems import KINDS
from api.serving import door
from shared.settings import Settings
from workers.frames import NOT_JUDGED, ROWS_AWAY, UNKNOWN_SESSION

PAGE = serving.__doc__ or ""
#: Each code that the page names, with the status that it says.
SAID = set(re.findall(r"(\d{3})\s+`(\w+)`", PAGE))


def documented(app: OpenAPI) -> set[tuple[str, str]]:
    """Status and code of each problem that the OpenAPI document has for a frame."""
    document = app.test_client().get("/openapi.json").json
    answers = document["paths"]["/api/v1/liveness/sessions/{session_id}/frame"]["post"]["responses"]
    return {
        (status, code)
        for status, answer in answers.items()
        if status != "200"
        for code in re.findall(r"`(\w+)`: ", answer["description"])
    }


def test_every_documented_problem_of_a_frame_has_its_place(lone_app: OpenAPI) -> None:
    expected = documented(lone_app)
    assert len(expected) > 25
    assert expected <= SAID
    of_every_request = {
        ("400", "bad_request"),
        ("414", "uri_too_long"),
        ("431", "head_too_large"),
        ("501", "coding_unknown"),
    }
    assert SAID - expected == of_every_request, "and so of no call in particular"


@pytest.mark.parametrize(("status", "code"), sorted(SAID))
def test_a_code_has_the_status_that_the_page_says(status: str, code: str) -> None:
    assert KINDS[code].status == int(status)


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`((?:api|shared|workers)\.[\w.]+)`", PAGE))))
def test_each_place_is_there(name: str) -> None:
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for part in parts[length:]:
            found = getattr(found, part)
        return
    pytest.fail(f"no module in {name}")


@pytest.mark.parametrize("name", sorted(set(re.findall(r"\b[A-Z]+_[A-Z_]+\b", PAGE))))
def test_each_setting_or_constant_is_there(name: str) -> None:
    modules = [importlib.import_module(f"api.serving.{module}") for module in ("worker", "slow_clients")]
    assert name.lower() in Settings.model_fields or any(hasattr(module, name) for module in modules)


def test_what_raises_or_answers_a_problem_on_a_frame_s_way_is_on_the_page() -> None:
    """Read out of the sources, so that a new refusal is not forgotten."""
    sources = ["api/access.py", "api/refusals.py", "api/frames.py", "api/uploads.py", "api/serving/worker.py"]
    raised = {door.CODE}
    for source in sources:
        raised |= set(
            re.findall(r'(?:ProblemError\(|raise refusal\(|code: str = |conn, )"(\w+)"', Path(source).read_text())
        )
    raised |= set(re.findall(r'BadImage\(\s*"(\w+)"', Path("workers/vision/decode.py").read_text()))
    raised |= {answer.problem.code for answer in (NOT_JUDGED, ROWS_AWAY, UNKNOWN_SESSION) if answer.problem}
    assert len(raised) > 15
    of_other_calls = {"body_too_large"}
    assert raised - of_other_calls <= {code for _, code in SAID}
