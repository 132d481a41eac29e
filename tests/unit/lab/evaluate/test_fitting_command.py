"""`ops/evaluate --fit` from its arguments to its files."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from shared.liveness.evidence import FITTED, Preset
from shared.weights_file import read_weights, write_weights
from tests.performer import require_models
from tests.unit.lab.evaluate.fitting_sessions import population, session, write_results

pytest.importorskip("matplotlib", reason="requirements/lab.txt brings it")
pytest.importorskip("scipy", reason="requirements/lab.txt brings it")

SAID = {f"person {i:02}": {"glasses": i % 2 == 0} for i in range(12)}


def evaluate(*arguments: object) -> Result:
    from ops.lab.evaluate.__main__ import evaluate as command

    return CliRunner().invoke(command, [str(a) for a in arguments])


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A manifest of one person, whose recording nobody will play."""
    folder = tmp_path_factory.mktemp("manifest")
    (folder / "a.avi").write_bytes(b"-")
    people = [{"name": "person 01", "neutral": [["a.avi", 0, 1]], "gestures": {"SMILE": [["a.avi", 0, 1, 0.5]]}}]
    (folder / "manifest.json").write_text(json.dumps({"people": people}))
    return folder / "manifest.json"


@pytest.fixture(scope="module")
def fitted(manifest: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files of a fit over two earlier runs, each of half of the people."""
    folder = tmp_path_factory.mktemp("fitted")
    outcomes = population()
    for name, part in (("one", outcomes[:54]), ("two", outcomes[54:])):
        write_results(folder / f"{name}.json", part, {o.person: SAID[o.person] for o in part})
    runs = ["--with", folder / "one.json", "--with", folder / "two.json"]
    result = evaluate(manifest, "--only", "none", *runs, "--fit", folder / "w.json", "--report", folder / "report")
    assert result.exit_code == 0, result.output
    return folder


def test_weights_are_fitted_over_earlier_runs_alone(fitted: Path) -> None:
    weighing = read_weights(fitted / "w.json")
    made = weighing.made
    assert (made["people"], made["sessions"], made["attacks"]) == ("12", "36", "72")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", made["date"])
    assert made["revision"]
    # Of each attack there are three versions, which share its weight.
    assert float(made["mix"].split()[0]) == 0.5
    assert float(re.findall(r"AUC (\S+),", made["unseen people"])[0]) > 0.95
    assert "person" not in (fitted / "w.json").read_text().replace('"unseen people"', "").replace('"people"', "")


def test_weights_from_a_file_judge_as_the_fit_did(fitted: Path) -> None:
    from ops.lab.evaluate.fitting.crossed import verdict

    weighing = read_weights(fitted / "w.json")
    live = {"bona_fide": 0, "attack": 0}
    for outcome in population():
        live[outcome.kind] += verdict(outcome, weighing).score >= weighing.thresholds[Preset.STANDARD]
    assert live["bona_fide"] >= 34
    assert live["attack"] <= 2


def test_the_sheet_says_who_is_turned_away_and_what_is_caught(fitted: Path) -> None:
    text = (fitted / "report" / "weights.md").read_text()
    for heading in (
        "Thresholds",
        "Species that the fit has never seen",
        "turned away",
        "By group",
        "holds what it says",
    ):
        assert heading in text
    assert re.search(r"^\| glasses \| yes \| 6 \| 18 \|", text, re.MULTILINE)
    assert re.search(r"^\| still \| one \| 36 \| 12 \| 36 \|", text, re.MULTILINE)
    left_out = text.split("never seen\n")[1].split("##")[0]
    assert re.search(r"^\| still \| 36 \| \d+ \| \d+ \| \d+ \| \d+\.\d % \|", left_out, re.MULTILINE)
    for name in re.findall(r"\((plots/\S+\.svg)\)", text):
        assert (fitted / "report" / name).read_text().lstrip().startswith("<?xml")
    scores = (fitted / "report" / "plots" / "scores.svg").read_text()
    assert all(preset in scores for preset in Preset)


def test_with_nothing_played_no_earlier_report_is_overwritten(fitted: Path) -> None:
    assert {p.name for p in (fitted / "report").iterdir()} == {"weights.md", "plots"}


def test_a_file_of_python_is_the_module(fitted: Path, tmp_path: Path) -> None:
    from ops.lab.evaluate.fitting.running import write

    weighing = read_weights(fitted / "w.json")
    write(tmp_path / "w.py", weighing)
    names: dict[str, object] = {}
    exec((tmp_path / "w.py").read_text(), names)
    made = {name: value for name, value in weighing.made.items() if name != "revision"}
    assert names["FITTED"] == replace(weighing, made=made)


def test_a_run_that_is_given_twice_counts_once(fitted: Path) -> None:
    from ops.lab.evaluate.fitting.earlier import read_earlier

    once, twice = (read_earlier([fitted / "one.json"] * times) for times in (1, 2))
    assert once == twice
    assert list(once.outcomes) == population()[:54]


def test_earlier_runs_bring_each_session_once_and_no_clips(tmp_path: Path) -> None:
    from ops.lab.evaluate.fitting.earlier import read_earlier

    (one,) = population(people=1, sessions=1, species=())
    clip = replace(one, kind="hit")
    path = write_results(tmp_path / "r.json", [one, replace(one, preset="strict"), clip], SAID)
    assert list(read_earlier([path]).outcomes) == [one]


def test_results_of_before_there_were_scores_are_read(tmp_path: Path) -> None:
    from ops.lab.evaluate.fitting.earlier import read_earlier

    (one,) = population(people=1, sessions=1, species=())
    fields = {name: value for name, value in asdict(one).items() if name not in ("score", "draw", "client")}
    (tmp_path / "r.json").write_text(json.dumps({"outcomes": [fields], "more": 1}))
    assert list(read_earlier([tmp_path / "r.json"]).outcomes) == [one]


#: What an earlier run has left, by name: too few people, no attacks, only clips, no results at all.
RUNS = {
    "few": population(people=9),
    "friends": population(species=()),
    "clips": [replace(o, kind="hit") for o in population()],
    "unfinished": [replace(o, state="failed") for o in population()],
}


@pytest.mark.parametrize(
    ("run", "told"),
    [
        ("few", "10 people at least, and 9 have"),
        ("friends", "no attacks"),
        ("clips", "no sessions with findings"),
        ("unfinished", "and 0 have"),
        ("text", "holds no results"),
        ("list", "holds no results"),
    ],
)
def test_what_cannot_be_fitted_over_is_told_in_a_sentence(manifest: Path, tmp_path: Path, run: str, told: str) -> None:
    path = tmp_path / "results.json"
    path.write_text({"text": "no JSON", "list": "[]"}.get(run, ""))
    if run in RUNS:
        write_results(path, RUNS[run])
    rest = ["--with", path, "--fit", tmp_path / "w.json", "--report", tmp_path / "report"]
    result = evaluate(manifest, "--only", "none", *rest)
    assert result.exit_code == 2
    assert told in result.output
    assert "Traceback" not in result.output
    assert not (tmp_path / "w.json").exists()
    assert not (tmp_path / "report").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--only", "none"], "needs --fit and --with"),
        (["--only", "none,attacks", "--fit", "w.json"], "stands alone"),
        (["--only", "none", "--fit", "w.json"], "needs --fit and --with"),
        (["--with", "good.json"], "needs --fit or --leave-people-out"),
        (["--with", "results.json", "--fit", "w.json", "--report", "."], "would be overwritten"),
        (["--with", "missing.json", "--fit", "w.json"], "does not exist"),
        (["--only", "none", "--with", "good.json", "--fit", "nowhere/w.json"], "no folder"),
        (["--fit", "w.json"], "10 people at least, and 1 have"),
        (["--leave-people-out"], "10 people at least, and 1 have"),
        (["--only", "bona_fide", "--with", "friends.json", "--fit", "w.json"], "no attacks"),
        (["--weights", "good.json"], "good.json holds no weights"),
        (["--weights", "missing.json"], "does not exist"),
    ],
)
def test_options_that_do_not_go_together_are_told_before_anything_is_played(
    manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], told: str
) -> None:
    models = require_models("face_landmark.tflite")
    monkeypatch.chdir(tmp_path)
    write_results(tmp_path / "good.json", population())
    write_results(tmp_path / "results.json", population())
    write_results(tmp_path / "friends.json", population(species=()))
    result = evaluate(manifest, "--models", models, "--report", tmp_path / "report", *arguments)
    assert result.exit_code == 2
    assert told in " ".join(result.output.split())
    assert not (tmp_path / "report").exists()
    assert not (tmp_path / "w.json").exists()


def test_weights_of_a_file_decide_and_left_out_people_are_judged_anew(
    drawn: Path, models_dir: Path, tmp_path: Path
) -> None:
    write_weights(tmp_path / "never.json", replace(FITTED, prior=-30.0, made={"date": "2026-01-01", "people": "3"}))
    parts = ["--only", "bona_fide", "--no-identity", "--models", models_dir]
    refused = evaluate(drawn, *parts, "--weights", tmp_path / "never.json", "--report", tmp_path / "refused")
    assert refused.exit_code == 0, refused.output
    before = json.loads((tmp_path / "refused" / "results.json").read_text())
    completed = [o for o in before["outcomes"] if o["state"] == "completed"]
    assert completed
    assert {(o["is_live"], o["score"]) for o in completed} == {(False, 0.0)}
    assert (before["about"]["weights"]["people"], before["about"]["people_left_out"]) == ("3", False)

    alike = [f for o in completed for f in o["findings"] if f[0] in ("flat", "stiff", "planar")]
    others = [
        session(f"{kind or 'friend'} {i}", [(c, s + bool(kind), 0) for c, s, _ in alike[:3]], species=kind)
        for kind in ("", "still")
        for i in range(12)
    ]
    run = ["--with", write_results(tmp_path / "r.json", others), "--leave-people-out", "--report", tmp_path / "again"]
    again = evaluate(drawn, *parts, "--weights", tmp_path / "never.json", *run)
    assert again.exit_code == 0, again.output
    after = json.loads((tmp_path / "again" / "results.json").read_text())
    assert after["about"]["people_left_out"] is True
    scores = {o["score"] for o in after["outcomes"] if o["state"] == "completed"}
    assert min(scores) > 0, "by the weights of the others, not by those of the file"
    rejected = {v["preset"]: v["rejected"]["k"] for v in after["verdicts"]}
    assert rejected["standard"] == sum(o["is_live"] is not True for o in after["outcomes"] if o["preset"] == "standard")
    assert not (tmp_path / "again" / "weights.md").exists(), "--leave-people-out alone fits nothing for the service"
