"""Vision with its models, and the drawn performer before it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.performer import models_dir, performer, require_models, vision_of  # noqa: F401
from workers.vision.pipeline import Vision


@pytest.fixture(scope="session")
def visions(models_dir: Path) -> dict[str, Vision]:  # noqa: F811
    """Both engines, loaded once: a vision keeps nothing from one picture to the next."""
    require_models("shape_predictor_68_face_landmarks.dat")
    return {engine: vision_of(models_dir, engine) for engine in ("mesh", "dlib")}


@pytest.fixture(params=["mesh", "dlib"])
def vision(request: pytest.FixtureRequest, visions: dict[str, Vision]) -> Vision:
    """Vision, with one engine and then with the other."""
    return visions[request.param]
