"""Measuring each picture once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ops.lab.evaluate.measuring import Measuring
from shared.liveness.observation import Observation
from workers.vision.landmarks import Region
from workers.vision.prior import Prior


class Counting:
    """Vision that follows a face a pixel to the right in each frame."""

    def __init__(self) -> None:
        self.calls = 0

    def measure(self, data: bytes, prior: Prior | None, at: float) -> tuple[Observation, Prior | None]:
        self.calls += 1
        x = 0.0 if prior is None else prior.region.x + 1
        return Observation(1, brightness=x), Prior(Region(x, 0, 10), at, at, at, 1)


def test_the_same_picture_after_the_same_prior_is_measured_once_whenever_it_comes() -> None:
    vision = Counting()
    measuring = Measuring(vision)
    first, prior = measuring.measure(b"a", None, 100.0)
    measuring.measure(b"b", prior, 100.1)
    again, later = measuring.measure(b"a", None, 500.0)
    measuring.measure(b"b", later, 500.1)
    assert first == again
    assert vision.calls == len(measuring.milliseconds) == 2


def test_what_follows_has_the_time_of_the_call() -> None:
    measuring = Measuring(Counting())
    measuring.measure(b"a", None, 100.0)
    _, prior = measuring.measure(b"a", None, 500.0)
    assert prior is not None
    assert (prior.at, prior.seen_at, prior.searched_at) == (500.0, 500.0, 500.0)


@pytest.mark.parametrize("change", [{"faces": 2}, {"region": Region(5, 0, 10)}, {"searched_at": 99.0}])
def test_another_prior_is_another_measurement(change) -> None:
    vision = Counting()
    measuring = Measuring(vision)
    _, prior = measuring.measure(b"a", None, 100.0)
    assert prior is not None
    measuring.measure(b"b", prior, 100.1)
    measuring.measure(b"b", replace(prior, **change), 100.1)
    assert vision.calls == 3


def test_the_oldest_is_forgotten_when_there_is_no_room() -> None:
    vision = Counting()
    measuring = Measuring(vision, room=2)
    for data in (b"a", b"b", b"c", b"a"):
        measuring.measure(data, None, 1.0)
    assert vision.calls == 4
