"""`ops/evaluate` from its arguments to its report, on a drawn person."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.performer import require_models
from workers.vision.descriptor import MODEL_FILE

pytest.importorskip("matplotlib", reason="requirements/lab.txt brings it")


def evaluate(*arguments: object) -> Result:
    from ops.lab.evaluate.__main__ import evaluate as command

    return CliRunner().invoke(command, [str(a) for a in arguments])


@pytest.fixture(scope="module")
def report(drawn: Path, models_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    require_models(MODEL_FILE)
    directory = tmp_path_factory.mktemp("report")
    parts = ["--species", "same_frame", "--models", models_dir, "--report", directory]
    result = evaluate(drawn, *parts)
    assert result.exit_code == 0, result.output
    assert "report.html" in result.output.replace("\n", "")
    return directory


def test_the_drawn_person_passes_and_its_photo_does_not(report: Path) -> None:
    figures = json.loads((report / "results.json").read_text())
    assert [(g["engine"], g["fps"]) for g in figures["gestures"]] == [("mesh", 8.0)]
    assert figures["gestures"][0]["hits"]["all"]["k"] == figures["gestures"][0]["hits"]["all"]["n"] == 2
    standard = next(v for v in figures["verdicts"] if v["preset"] == "standard")
    assert {s["name"]: s["accepted"] for s in standard["species"]} == {"same_frame": 0}
    assert {v["preset"] for v in figures["verdicts"]} == {"lenient", "standard", "strict"}
    assert figures["footprints"][0]["median_ms"] > 0
    assert (figures["about"]["people"], figures["about"]["identity"]) == (1, True)
    assert figures["about"]["attributes"] == {"drawn": {"glasses": False}}


def test_whole_sessions_are_played_at_their_own_rates_by_another_client(
    drawn: Path, models_dir: Path, tmp_path: Path
) -> None:
    parts = ["--only", "bona_fide,attacks", "--species", "slow_photos", "--session-fps", "15,2", "--client", "drops"]
    rest = ["--no-identity", "--filmed", "mirrored", "--models", models_dir, "--report", tmp_path]
    result = evaluate(drawn, *parts, *rest)
    assert result.exit_code == 0, result.output
    figures = json.loads((tmp_path / "results.json").read_text())
    outcomes = figures["outcomes"]
    assert {(v["fps"], v["preset"]) for v in figures["verdicts"]} == {
        (fps, preset) for fps in (2.0, 15.0) for preset in ("lenient", "standard", "strict")
    }
    assert {(o["client"], o["filming"], o["draw"]) for o in outcomes} == {("drops", "mirrored", 0)}
    assert {o["state"] for o in outcomes} <= {"completed", "failed"}
    genuine = {o["fps"]: o["frames"] / o["seconds"] for o in outcomes if o["kind"] == "bona_fide"}
    assert 10 < genuine[15.0] < 15, "some frames were lost"
    slow = [o for o in outcomes if o["species"] == "slow_photos"]
    assert all(o["frames"] < 2.3 * o["seconds"] + 1 for o in slow)
    assert "drops" in (tmp_path / "report.html").read_text()


def test_results_hold_all_that_the_verdict_is_made_of(report: Path) -> None:
    outcomes = json.loads((report / "results.json").read_text())["outcomes"]
    session = next(o for o in outcomes if o["kind"] == "bona_fide" and len(o["passed"]) == 2)
    assert {challenge for _, _, challenge in session["findings"]} >= {0, 1}
    for code, highest in session["evidence"].items():
        assert max(score for found, score, _ in session["findings"] if found == code) == highest


def test_the_report_loads_nothing(report: Path) -> None:
    page = (report / "report.html").read_text()
    sources = re.findall(r"(?:src|href)=\"([^\"]{0,30})", page)
    assert sources
    assert all(s.startswith(("data:", "#")) for s in sources)
    assert not re.search(r"<(?:script|link|iframe)|url\(", page)


def test_the_report_names_no_place_on_this_machine(report: Path, drawn: Path) -> None:
    for name in ("report.html", "results.json"):
        assert str(drawn.parent) not in (report / name).read_text()


def test_the_plots_are_there_by_themselves(report: Path) -> None:
    names = {p.stem for p in (report / "plots").iterdir()}
    assert {"gestures", "time", "reach", "attacks", "trade_off", "signals_SMILE_avi"} <= names


def test_faces_are_compared_in_whole_sessions_and_not_in_clips(report: Path) -> None:
    outcomes = json.loads((report / "results.json").read_text())["outcomes"]
    compared = {o["kind"]: "swapped" in o["evidence"] for o in outcomes if o["state"] == "completed"}
    assert compared["bona_fide"]
    assert not compared["hit"]


@pytest.mark.slow
def test_two_processes_find_the_same(report: Path, drawn: Path, models_dir: Path, tmp_path: Path) -> None:
    parts = ["--only", "gestures", "--processes", 2, "--models", models_dir, "--report", tmp_path]
    assert evaluate(drawn, *parts).exit_code == 0
    one, two = (json.loads((d / "results.json").read_text())["outcomes"] for d in (report, tmp_path))
    assert two
    assert [o for o in one if o["kind"] in ("hit", "false_accept")] == two


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--people", "nobody"], "nobody"),
        (["--species", "mask"], "no species mask"),
        (["--models", "nowhere"], "ops/models"),
        (["--models", "nowhere", "--no-identity"], "ops/models"),
        (["--only", "gesture"], "there are gestures"),
        (["--fps", "8,fast"], "list of numbers"),
        (["--fps", "90"], "from 1 to 30"),
        (["--session-fps", "0"], "from 1 to 30"),
        (["--client", "none"], "steady"),
    ],
)
def test_what_is_wrong_with_the_arguments_is_told_in_a_sentence(drawn: Path, tmp_path: Path, arguments, told) -> None:
    models = require_models("face_landmark.tflite")
    result = evaluate(drawn, "--models", models, "--report", tmp_path, *arguments)
    assert result.exit_code == 2
    assert told in result.output
    assert not list(tmp_path.iterdir())


def test_a_manifest_that_is_none_is_told(tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    path.write_text("{}")
    result = evaluate(path)
    assert result.exit_code == 2
    assert "nobody" in result.output
