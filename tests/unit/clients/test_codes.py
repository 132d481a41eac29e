"""What clients know of the API by heart is what the API documents."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from api.pages import BROWSER_CLIENT
from api.problems import KINDS
from api.schemas import ENDED
from ops.run import codes
from shared.liveness.challenge import ChallengeType
from shared.liveness.session import Session, State


@pytest.fixture(scope="module")
def schemas():
    return codes.openapi()["components"]["schemas"]


@pytest.mark.parametrize("path", codes.FILES, ids=lambda path: path.name)
def test_the_generated_files_match_the_document(schemas, path: Path) -> None:
    assert path.read_text() == codes.FILES[path](schemas), "stale: run python -m ops.run.tables"


def test_a_stale_file_is_named_and_mended(monkeypatch, tmp_path, capsys) -> None:
    path = tmp_path / "codes.js"
    monkeypatch.setattr(codes, "FILES", {path: codes.javascript})
    assert codes.renew(check=True) == 1
    assert "codes.js is stale" in capsys.readouterr().out
    assert codes.renew(check=False) == codes.renew(check=True) == 0


@pytest.mark.parametrize("state", State)
def test_the_documented_final_states_are_the_domain_s(state: State) -> None:
    session = Session.open("s", [ChallengeType.SMILE], timeout_seconds=5.0, at=0.0, ttl=60.0)
    session.state = state
    assert session.ended is (state in ENDED)


def test_a_problem_that_the_browser_client_asks_for_is_documented() -> None:
    asked = set(re.findall(r'answer\?\.code === "(\w+)"', (BROWSER_CLIENT / "service.js").read_text()))
    assert asked
    assert asked <= KINDS.keys()


@pytest.mark.parametrize(("file", "name"), [("element.js", "CANNOT"), ("icons.js", "SHAPES")])
def test_the_element_knows_every_challenge(file: str, name: str) -> None:
    block = (BROWSER_CLIENT / file).read_text().partition(f"const {name} = {{")[2].partition("\n};")[0]
    assert set(re.findall(r"\b[A-Z]+_[A-Z]+\b|\bBLINK\b|\bSMILE\b", block)) == set(ChallengeType)
