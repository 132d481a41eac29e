"""Weights of the evidence in a file: what is written is read, and what cannot be used is refused with a sentence."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from shared import settings
from shared.liveness.evidence import FITTED, Preset, Weighing
from shared.settings import EXIT_CONFIG, Settings, load_settings_or_exit
from shared.weights_file import WeightsError, read_weights, write_weights
from tests.unit.liveness.weights import WEIGHTS

Change = Callable[[dict[str, Any]], None]


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable and no .env from outside."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "weights.json"
    write_weights(path, WEIGHTS)
    return path


@pytest.mark.parametrize("weighing", [FITTED, WEIGHTS, replace(WEIGHTS, made={"by": "ops/evaluate", "people": "16"})])
def test_what_is_written_is_read(tmp_path: Path, weighing: Weighing) -> None:
    write_weights(tmp_path / "w.json", weighing)
    assert read_weights(tmp_path / "w.json") == weighing


def test_it_is_json_that_people_can_read(file: Path) -> None:
    read = json.loads(file.read_text())
    assert read["thresholds"] == {"lenient": 0.3, "standard": 0.5, "strict": 0.8}
    assert read["curves"]["stiff"]["eyes"] == {"scores": [0.2, 0.6, 1], "bits": [3, 1, -8]}
    assert file.read_text().count("\n") > 50


def _curve(scores: list[float], bits: list[float]) -> Change:
    def change(weights: dict[str, Any]) -> None:
        weights["curves"]["stiff"]["eyes"] = {"scores": scores, "bits": bits}

    return change


def _without(*path: str) -> Change:
    def change(weights: dict[str, Any]) -> None:
        *way, last = path
        for name in way:
            weights = weights[name]
        del weights[last]

    return change


def _with(**changes: Any) -> Change:
    return lambda weights: weights.update(changes)


def _thresholds(*levels: float) -> Change:
    return _with(thresholds=dict(zip(Preset, levels, strict=True)))


#: A lenient threshold that a score of one third, of a prior of -1, just reaches.
THIRD = {"lenient": 0.3333, "standard": 0.5, "strict": 0.8}
WRONG: dict[str, tuple[Change, str]] = {
    "rising bits": (_curve([0, 1], [-1, 1]), "stiff, eyes: the bits must fall"),
    "bits that rise again": (_curve([0, 1, 2], [1, -1, 0]), "stiff, eyes: the bits must fall"),
    "scores that fall": (_curve([1, 0], [1, -1]), "stiff, eyes: the scores must rise"),
    "a score twice": (_curve([0, 0], [1, -1]), "stiff, eyes: the scores must rise"),
    "fewer bits than scores": (_curve([0, 1], [1]), "stiff, eyes: as many bits as scores"),
    "more bits than scores": (_curve([0], [1, -1]), "stiff, eyes: as many bits as scores"),
    "an empty curve": (_curve([], []), "stiff, eyes: as many bits as scores"),
    "a preset without a threshold": (_without("thresholds", "strict"), "lenient, standard, strict"),
    "an unknown preset": (_with(thresholds={"lenient": 0.1, "standard": 0.2, "harsh": 0.3}), "holds no weights"),
    "presets out of order": (_thresholds(0.5, 0.3, 0.8), "the stricter the higher"),
    "strict below standard": (_thresholds(0.3, 0.5, 0.4), "the stricter the higher"),
    "a threshold of nothing": (_thresholds(0.0, 0.5, 0.8), "between 0 and 1"),
    "a threshold of certainty": (_thresholds(0.3, 0.5, 1.0), "between 0 and 1"),
    "a prior by which silence is live": (_with(prior=0.0), "live that has shown nothing: its prior is too high"),
    "a prior just as high": (_with(prior=-1.0, thresholds=THIRD), "its prior is too high"),
    "no scales": (_with(scales=[]), "at least one scale"),
    "an unknown code": (_with(curves={"telepathy": {}}), "holds no weights"),
    "an unknown group": (_with(curves={"stiff": {"feet": {"scores": [0], "bits": [0]}}}), "holds no weights"),
    "words for numbers": (_with(prior="low"), "holds no weights"),
    "no prior": (_without("prior"), "holds no weights"),
    "nothing that decides": (_without("decisive"), "holds no weights"),
}


@pytest.mark.parametrize(("change", "sentence"), WRONG.values(), ids=WRONG)
def test_a_file_that_is_wrong_is_refused(file: Path, change: Change, sentence: str) -> None:
    weights = json.loads(file.read_text())
    change(weights)
    file.write_text(json.dumps(weights))
    with pytest.raises(WeightsError, match=sentence):
        read_weights(file)
    with pytest.raises(ValidationError, match=sentence):
        Settings(evidence_weights=file)


@pytest.mark.parametrize("text", ["", "weights", "[]", "{", '{"curves": '])
def test_what_is_no_json_of_weights_is_refused(file: Path, text: str) -> None:
    file.write_text(text)
    with pytest.raises(WeightsError, match="holds no weights"):
        read_weights(file)


@pytest.mark.parametrize("levels", [(0.3, 0.3, 0.3), (0.201, 0.5, 0.999)])
def test_thresholds_may_be_alike_and_close_to_what_silence_scores(file: Path, levels: tuple[float, ...]) -> None:
    """The tests' prior of -2 makes one fifth."""
    weights = json.loads(file.read_text())
    _thresholds(*levels)(weights)
    file.write_text(json.dumps(weights))
    assert tuple(read_weights(file).thresholds.values()) == levels


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """A file that is not there, and a directory."""
    with pytest.raises(WeightsError, match=r"cannot be read: No such file"):
        read_weights(tmp_path / "nowhere.json")
    with pytest.raises(WeightsError, match=r"cannot be read: Is a directory"):
        read_weights(tmp_path)


def test_verdicts_go_by_the_file_that_is_named(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    assert Settings().weighing is FITTED
    monkeypatch.setenv("EVIDENCE_WEIGHTS", str(file))
    assert Settings().weighing == WEIGHTS


def test_a_process_with_a_wrong_file_does_not_start_and_names_the_setting(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], file: Path
) -> None:
    """And says what is wrong with it, in a sentence and not in a traceback."""
    file.write_text(file.read_text().replace("-8", "80", 1))
    monkeypatch.setenv("EVIDENCE_WEIGHTS", str(file))
    settings.get_settings.cache_clear()
    with pytest.raises(SystemExit) as exit_:
        load_settings_or_exit()
    settings.get_settings.cache_clear()
    assert exit_.value.code == EXIT_CONFIG
    told = capsys.readouterr().err
    assert "EVIDENCE_WEIGHTS" in told
    assert "the bits must fall" in told
    assert "Traceback" not in told


@pytest.mark.parametrize("threshold", ["0", "1", "-0.5", "1.5", "high"])
def test_a_threshold_that_nobody_or_everybody_reaches_is_refused(
    monkeypatch: pytest.MonkeyPatch, threshold: str
) -> None:
    monkeypatch.setenv("LIVENESS_THRESHOLD", threshold)
    with pytest.raises(ValidationError):
        Settings()
    monkeypatch.setenv("LIVENESS_THRESHOLD", "0.75")
    assert Settings().liveness_threshold == 0.75
