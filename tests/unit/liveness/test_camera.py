"""The judge of what a client says of its camera."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

import pytest

from shared.liveness.camera import VIRTUAL, CameraReport, label_hash
from shared.liveness.challenge import ChallengeType
from shared.liveness.evidence import FITTED, Code, Finding, Preset, examine
from shared.liveness.evidence.camera import camera
from shared.liveness.evidence.weighing import Group
from shared.liveness.frame import Frame
from tests.unit.liveness.people import T0, observe

HONEST = CameraReport(
    label=label_hash("HD Webcam (1bcf:2c99)"),
    width=1280,
    height=960,
    rate=30.0,
    most_width=1920,
    most_height=1080,
    most_rate=30.0,
)


def captures(
    seconds: int = 5, *, rate: float = 30.0, jitter: float = 1.5, fast: float = 1.0
) -> Iterator[tuple[tuple[float, int], ...]]:
    """What each second's report tells of a camera's pictures; one in ten is missed. jitter: milliseconds."""
    chance = random.Random(4)
    number = 0
    for second in range(seconds):
        told = []
        for _ in range(int(rate)):
            number += 1
            if number % 10:
                told.append((70_000.0 + number * 1000 / rate / fast + chance.uniform(-jitter, jitter), number))
        del second
        yield tuple(told)


def film(report: CameraReport | None, told: Iterator[tuple[tuple[float, int], ...]] | None = None) -> list[Frame]:
    """Five seconds, eight frames a second, with a report in every eighth."""
    told = captures() if told is None else told
    frames = []
    for i in range(40):
        said = replace(report, captures=next(told, ())) if report is not None and i % 8 == 7 else None
        frames.append(Frame(str(i), T0 + i / 8, observe(camera=said, digest=f"{i:016x}")))
    return frames


def test_an_honest_camera_is_plausible() -> None:
    assert camera(film(HONEST)) == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"rate": 0.0, "most_rate": 0.0},
        {"width": 0, "height": 0, "most_width": 0, "most_height": 0},
        {"label": ""},
        {"width": 480, "height": 640, "most_width": 640, "most_height": 480},
    ],
    ids=["no rate", "no size", "no label", "upright"],
)
def test_what_a_platform_does_not_say_counts_for_nothing(changes: dict[str, object]) -> None:
    assert camera(film(replace(HONEST, **changes))) == 0  # type: ignore[arg-type]


def test_a_slow_camera_in_the_dark_and_a_platform_without_times_are_plausible() -> None:
    assert camera(film(HONEST, captures(rate=12, jitter=9))) == 0
    assert camera(film(HONEST, iter([]))) == 0


def test_without_a_report_nothing_is_found() -> None:
    assert camera(film(None)) is None
    frames = film(None)
    codes = {f.code for f in examine(frames, [ChallengeType.SMILE], since=T0, met=T0 + 4, opening_until=T0 + 3)}
    assert Code.CAMERA not in codes


def test_it_is_among_the_findings_of_a_challenge() -> None:
    frames = film(replace(HONEST, virtual=True))
    found = examine(frames, [ChallengeType.SMILE], since=T0, met=T0 + 4, opening_until=T0 + 3)
    assert [(f.score, f.challenge) for f in found if f.code is Code.CAMERA] == [(1.0, 0)]


@pytest.mark.parametrize("label", VIRTUAL)
def test_a_known_virtual_camera_is_found_by_its_label(label: str) -> None:
    assert camera(film(replace(HONEST, label=label_hash(f" {label.upper()} ")))) == 1
    assert camera(film(replace(HONEST, virtual=True))) == 1


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (320, 240), (640, 640)])
def test_pictures_that_the_camera_cannot_give_are_found(width: int, height: int) -> None:
    assert camera(film(replace(HONEST, width=width, height=height))) == 1


def test_more_than_the_camera_can_give_is_found() -> None:
    assert camera(film(replace(HONEST, most_width=640, most_height=480))) == 1


def test_too_many_pictures_are_found() -> None:
    assert camera(film(HONEST, captures(rate=60))) == 1


def test_a_clock_that_runs_otherwise_than_the_frames_arrive_is_found() -> None:
    assert camera(film(HONEST, captures(fast=0.4, rate=12))) == 1


def test_pictures_told_of_twice_are_found() -> None:
    same = next(captures())
    assert camera(film(HONEST, iter([same] * 5))) == 1


def test_times_without_jitter_are_found_and_count_less() -> None:
    assert camera(film(HONEST, captures(jitter=0.0))) == 0.7
    assert camera(film(HONEST, captures(jitter=0.05))) == 0, "a platform that rounds to a tenth of a millisecond"


def test_repeated_pictures_are_found() -> None:
    frames = [replace(f, observation=replace(f.observation, digest=str(i % 10))) for i, f in enumerate(film(HONEST))]
    assert camera(frames) == 0.75


def test_it_is_weighed_little_by_itself() -> None:
    """Silence costs nothing, plausibility brings nothing, and no report alone turns a person away."""
    assert Code.CAMERA not in FITTED.decisive
    for group in Group:
        curve = FITTED.curves[Code.CAMERA][group]
        assert curve(0.0) == 0
        assert -1 <= curve(1.0) < 0
    asked = [ChallengeType.BLINK]
    person = [Finding(Code.CALM, 0.0, 0), Finding(Code.PLANAR, 0.0, 0)]
    least = FITTED.thresholds[Preset.STANDARD]
    assert FITTED.weigh([*person, Finding(Code.CAMERA, 1.0, 0)], asked).score >= least
