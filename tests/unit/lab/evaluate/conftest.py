from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ops.lab.performer import Performer
from shared.liveness.challenge import ChallengeType
from tests.performer import models_dir, performer  # noqa: F401
from tests.unit.lab.evaluate.helpers import RATE, write_video


@pytest.fixture
def greys(tmp_path: Path) -> Path:
    """Four seconds of grey; the level tells the frame: 2 a frame from 40 on."""
    return write_video(tmp_path / "greys.avi", (np.full((120, 160, 3), 40 + 2 * i, np.uint8) for i in range(4 * RATE)))


@pytest.fixture(scope="session")
def drawn(models_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: F811
    """A manifest of one drawn person who smiles and turns to the left."""
    folder = tmp_path_factory.mktemp("drawn")
    gestures = [ChallengeType.SMILE, ChallengeType.TURN_LEFT]
    for gesture in gestures:
        drawing = Performer(models_dir, size=(320, 240))
        write_video(folder / f"{gesture}.avi", drawing.perform(gesture, RATE))
    write_video(folder / "neutral.avi", Performer(models_dir, size=(320, 240)).performance([], 2 * RATE), RATE)
    manifest = {
        "people": [
            {
                "name": "drawn",
                "about": {"glasses": False},
                "neutral": [["neutral.avi", 0, 1.9]],
                "gestures": {g: [[f"{g}.avi", 0, 3.5, 1.8]] for g in gestures},
            }
        ]
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder / "manifest.json"
