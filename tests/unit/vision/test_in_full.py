"""Fast clients: which of their frames are measured in full, and what the others have."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from shared.liveness.observation import Observation
from tests.unit.vision.fakes import FakeEngine, FakeFinder
from tests.unit.vision.pictures import encode
from workers.vision.eyes import Eyes
from workers.vision.pipeline import IN_FULL_EVERY, Vision

#: Something to see everywhere, in both directions.
JPEG = encode(cv2.resize(np.random.default_rng(2).integers(40, 220, (30, 40, 3), np.uint8), (640, 480)))

#: The picture of an eye as the iris model gets it.
EYE = np.random.default_rng(3).integers(0, 255, (64, 64, 3), np.uint8)


class CountedEyes:
    """Sees eyes that are a little wider open each time it looks."""

    def __init__(self) -> None:
        self.asked = 0

    def look(self, picture: object, points: object) -> Eyes:
        self.asked += 1
        return Eyes((0.3 + self.asked / 1000, 0.3), (0.01, 0.02), (EYE, EYE))


def shown(times: np.ndarray, *, blinks: bool, copies: int = 1) -> tuple[list[Observation], CountedEyes]:
    """The observations of frames that arrive at these times; each picture is sent `copies` times in a row."""
    eyes = CountedEyes()
    vision = Vision(FakeEngine(), FakeFinder(), eyes, 25_000_000)  # type: ignore[arg-type] # only `look` is used
    prior, seen = None, []
    for number, at in enumerate(times):
        # Other bytes for each picture, after the JPEG's end.
        data = JPEG + bytes([number // copies % 256])
        observation, prior = vision.measure(data, prior, 1_000_000 + float(at))
        assert prior is not None
        prior = replace(prior, blinks=blinks)
        seen.append(observation)
    return seen, eyes


@pytest.mark.parametrize("rate", [2, 5, 8])
def test_every_frame_of_a_usual_client_is_measured_in_full(rate: int) -> None:
    late = np.random.default_rng(1).uniform(0, 0.05, 3 * rate)
    seen, eyes = shown(np.arange(3 * rate) / rate + late, blinks=False)
    assert all(o.eyes_seen and o.gaze is not None for o in seen)
    assert all(o.flex is not None for o in seen[2:])
    assert eyes.asked == len(seen)


@pytest.mark.parametrize("rate", [12, 15, 30])
def test_of_a_fast_client_as_many_as_the_judges_need(rate: int) -> None:
    seen, eyes = shown(np.arange(0, 2, 1 / rate), blinks=False)
    full = [o for o in seen if o.eyes_seen]
    assert 2 / IN_FULL_EVERY - 1 <= len(full) == eyes.asked <= 2 / IN_FULL_EVERY + 2
    # The first face may be inaccurate, and the second one has nothing to be compared with.
    assert all(o.flex is not None for o in full[2:])
    assert all(o.flex is None for o in seen if not o.eyes_seen)
    # What is cheap, and what the gestures are judged by, is there in every frame.
    assert all(o.usable and o.stir is not None for o in seen[1:])


def test_a_picture_that_is_sent_again_takes_no_other_one_s_place() -> None:
    seen, _ = shown(np.arange(0, 3, 1 / 18), blinks=False, copies=3)
    assert [o.eyes_seen for o in seen] == [n % 3 == 0 for n in range(len(seen))]


def test_between_them_the_eyes_are_as_they_were_seen_last() -> None:
    seen, _ = shown(np.arange(0, 1, 1 / 30), blinks=False)
    last = 0.0
    for observation in seen:
        assert observation.face is not None
        if observation.eyes_seen:
            assert observation.face.left_eye > last
            last = observation.face.left_eye
        else:
            assert (observation.face.left_eye, observation.gaze) == (last, None)


def test_while_a_blink_is_asked_for_the_eyes_are_seen_in_every_frame() -> None:
    seen, eyes = shown(np.arange(0, 1, 1 / 30), blinks=True)
    assert all(o.eyes_seen for o in seen)
    assert eyes.asked == len(seen)
    assert sum(o.flex is not None for o in seen) < len(seen) / 2
