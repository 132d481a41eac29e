"""The manifest's format, and what is said about one that cannot be used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ops.lab.evaluate.manifest import ManifestError, drawable, load_manifest
from shared.liveness.challenge import ChallengeType

ANN = {
    "name": "ann",
    "neutral": [["a.mp4", 0, 2]],
    "gestures": {"SMILE": [["a.mp4", 2, 4, 3], ["a.mp4", 5, 7, 6, 5.5]]},
}


@pytest.fixture
def written(tmp_path: Path):
    (tmp_path / "a.mp4").touch()

    def write(**document: Any) -> Path:
        path = tmp_path / "m.json"
        path.write_text(json.dumps(document))
        return path

    return write


def test_people_have_neutral_and_gesture_segments_with_peaks_and_onsets(written) -> None:
    manifest = load_manifest(written(people=[ANN], screen_replays=[], still_head=[["a.mp4", 0, 1]], sources={}))
    ann = manifest.person("ann")
    first, second = ann.gestures[ChallengeType.SMILE]
    assert (first.start, first.end, first.peak, first.onset) == (2, 4, 3, None)
    assert second.onset == 5.5
    assert ann.absent(ChallengeType.SMILE) == list(ann.neutral)
    assert len(ann.absent(ChallengeType.BLINK)) == 3
    assert manifest.still_head[0].end == 1


def test_paths_are_relative_to_the_manifest_or_to_the_root_given(written, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere"
    other.mkdir()
    (other / "a.mp4").touch()
    path = written(people=[ANN])
    assert load_manifest(path).person("ann").neutral[0].path == tmp_path / "a.mp4"
    assert load_manifest(path, other).person("ann").neutral[0].path == other / "a.mp4"


def test_only_the_recordings_that_are_named_are_turned(written, tmp_path: Path) -> None:
    (tmp_path / "b.mp4").touch()
    bob = {"name": "bob", "neutral": [["b.mp4", 0, 2]]}
    manifest = load_manifest(written(people=[ANN, bob], still_head=[["b.mp4", 0, 1]], turn={"b.mp4": -90}))
    assert {s.turn for s in manifest.person("ann").segments} == {None}
    assert manifest.person("bob").neutral[0].turn == manifest.still_head[0].turn == -90


def test_people_have_what_a_report_may_group_them_by(written) -> None:
    about = {"skin": "dark", "glasses": True, "light": "window behind"}
    manifest = load_manifest(written(people=[ANN | {"about": about}, ANN | {"name": "bob"}]))
    assert manifest.person("ann").about == about
    assert manifest.person("bob").about == {}
    described = load_manifest(written(people=[ANN | {"about": "a woman with glasses"}]))
    assert described.person("ann").about == {"description": "a woman with glasses"}


def test_people_can_be_chosen(written) -> None:
    path = written(people=[ANN, ANN | {"name": "bob"}])
    assert [p.name for p in load_manifest(path, only=["bob"]).people] == ["bob"]
    with pytest.raises(ManifestError, match="carol"):
        load_manifest(path, only=["carol"])


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"people": []}, "nobody"),
        ({"people": [{"name": "x", "gestures": {"WINK": []}}]}, r"people\[0\].gestures: 'WINK' is none of TURN_LEFT"),
        (
            {"people": [{"name": "x", "neutral": [["a.mp4", 0]]}]},
            r"people\[0\].neutral\[0\] must be \[path, start, end\]",
        ),
        ({"people": [{"name": "x", "neutral": [["a.mp4", 3, 2]]}]}, "must end after it starts"),
        ({"people": [{"name": "x", "neutral": [["b.mp4", 0, 2]]}]}, "there is no file"),
        ({"people": [{"name": "x", "gestures": {"SMILE": [["a.mp4", 0, 2, 3]]}}]}, "its peak, 3 s, is not between"),
        ({"people": [{"name": "x", "gestures": {"SMILE": [["a.mp4", 0, "two", 1]]}}]}, "seconds as numbers"),
        ({"people": [{"neutral": []}]}, r"people\[0\] must be an object with a \"name\""),
        ({"people": [ANN, ANN]}, "same name"),
        ({"people": [ANN], "generated": [ANN, ANN]}, "Two of generated"),
        ({"people": [ANN], "turn": {"a.mp4": 45}}, "a.mp4 cannot be turned by 45, only by 0, 90, -90, 180"),
        ({"people": [ANN], "turn": 90}, "turn must be an object"),
        ({"people": [ANN | {"about": {"skin": ["dark"]}}]}, r"people\[0\].about must be"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(written, wrong, told) -> None:
    with pytest.raises(ManifestError, match=told):
        load_manifest(written(**wrong))


def test_what_is_no_json_is_said(tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    path.write_text("people: []")
    with pytest.raises(ManifestError, match="cannot be read as JSON"):
        load_manifest(path)


def test_a_session_of_two_mixes_heads_and_expressions() -> None:
    assert drawable([ChallengeType.SMILE], [ChallengeType.LOOK_UP])
    assert not drawable([ChallengeType.SMILE], [ChallengeType.BLINK])
