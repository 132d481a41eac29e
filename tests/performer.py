"""The models, the vision that has loaded them, and the drawn performer, who gives frames of a person without anyone's video.

Import the fixtures that you need into the conftest.py beside your tests:
`from tests.performer import models_dir, performer  # noqa: F401`.
"""

from __future__ import annotations

import copy
import os
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from ops.lab.performer import Performer
from workers.vision.pipeline import Vision

_TOP = Path(__file__).resolve().parents[1]


def require_models(*names: str) -> Path:
    """The directory of the models, if it holds `names`; else the test is skipped, or fails in CI."""
    directory = _TOP / os.environ.get("MODELS_DIR", "var/models")
    lacking = [name for name in names if not (directory / name).is_file()]
    if lacking:
        sentence = f"{', '.join(lacking)} not in {directory} (MODELS_DIR); ops/models brings it"
        if os.environ.get("CI"):
            pytest.fail(sentence)
        pytest.skip(sentence)
    return directory


@pytest.fixture(scope="session")
def models_dir() -> Path:
    """Where the models are; with those of the mesh."""
    return require_models("face_landmark.tflite", "face_detection_short_range.tflite", "iris_landmark.tflite")


@pytest.fixture(scope="module")
def performer(models_dir: Path) -> Performer:
    """One performer for the tests of a module; its noise goes on from test to test, and starts over in each module."""
    performer = copy.copy(_made(models_dir))
    performer._chance = np.random.default_rng((performer.seed, 1))
    return performer


@cache
def vision_of(models_dir: Path, engine: str = "mesh") -> Vision:
    """Vision, loaded once in a process: that takes up to 1.5 s, and it keeps nothing from one picture to the next."""
    return Vision.load(models_dir, engine)


@cache
def _made(models_dir: Path) -> Performer:
    return Performer(models_dir)
