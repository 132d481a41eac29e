"""Where eyes look, from the points of the network that looks at them."""

from __future__ import annotations

import numpy as np
import pytest

from ops.lab.performer import Pose
from workers.vision.eyes import EyeContours
from workers.vision.gaze import gaze
from workers.vision.landmarks import Region
from workers.vision.mesh import Mesh


def eyes(across: float, down: float, *, width: float = 30.0, tilt: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Contours and irises of two eyes that look `across` and `down`, in their widths; tilt: degrees that they lie aslant."""
    contours, irises = np.zeros((2, 71, 2), np.float32), np.zeros((2, 5, 2), np.float32)
    turn = np.radians(tilt)
    along, below = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
    for eye, way in enumerate((-across, across)):  # the left one is shown mirrored
        contours[eye, 0], contours[eye, 8] = 32 - width / 2 * along, 32 + width / 2 * along
        irises[eye, 0] = 32 + width * (way * along + down * below)
    return contours, irises


@pytest.mark.parametrize("tilt", [0, 12])
@pytest.mark.parametrize("width", [18, 36])
def test_the_gaze_is_told_in_eye_widths_along_the_eye(width, tilt) -> None:
    assert gaze(*eyes(0.15, -0.05, width=width, tilt=tilt)) == pytest.approx((0.15, -0.05), abs=1e-5)


def test_eyes_that_turn_towards_each_other_look_nowhere_else() -> None:
    contours, irises = eyes(0.0, 0.0)
    irises[:, 0, 0] += 3
    assert gaze(contours, irises) == pytest.approx((0, 0), abs=1e-5)


def test_the_network_sees_where_drawn_eyes_look(models_dir, performer) -> None:
    """The performer turns its head and its eyes stay in it: the gaze does, too."""
    mesh, network = Mesh(models_dir), EyeContours(models_dir)
    found = []
    for yaw in (0, 10):
        frame = performer.frame(Pose(yaw=yaw))
        found.append(network.look(frame, mesh.locate(frame, Region(320, 240, 280)).points).gaze)
    assert np.abs(found).max() < 0.25
    assert abs(found[1][0] - found[0][0]) < 0.08
