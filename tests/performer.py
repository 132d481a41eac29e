"""The drawn performer as a fixture: frames of a person without anyone's video.

Import what you need into the conftest.py beside your tests:
`from tests.performer import models_dir, performer  # noqa: F401`.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ops.lab.performer import Performer

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


@pytest.fixture(scope="session")
def performer(models_dir: Path) -> Performer:
    """One performer for all tests; its noise goes on from test to test. Make your own where each pixel matters."""
    return Performer(models_dir)
