"""MediaPipe's networks: the same numbers whatever runs them, and no word of their own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ops.lab.performer import Performer
from tests.unit.vision.pictures import encode
from workers.vision import eyes, finder, mesh
from workers.vision.network import LiteRtNetwork, OpenCvNetwork, load_network, usual_runtime
from workers.vision.pipeline import Vision

#: File, side of the input, outputs, what black is, and by how much the numbers may differ: pixels of the input, or logits.
NETWORKS = [
    (mesh.MODEL_FILE, 192, ("conv2d_20", "conv2d_30"), 0, 0.01),
    (eyes.MODEL_FILE, 64, ("output_eyes_contours_and_brows",), 0, 0.01),
    (finder.MODEL_FILE, 128, ("classificators", "regressors"), -1, 0.01),
]


def pictures(performer: Performer, side: int):
    """A face, its mirror image, and noise."""
    face = performer.frame()[100 : 100 + 2 * side : 2, 220 : 220 + 2 * side : 2][:side, :side]
    noise = np.random.default_rng(1).integers(0, 256, (side, side, 3), dtype=np.uint8)
    padded = np.zeros_like(noise)
    padded[: face.shape[0], : face.shape[1]] = face
    return padded, padded[:, ::-1], noise


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network[0])
def test_litert_and_opencv_give_the_same_numbers(models_dir, performer, network):
    file, side, outputs, lowest, tolerance = network
    shown = pictures(performer, side)
    ours = LiteRtNetwork(models_dir / file, outputs, lowest)(*shown)
    theirs = OpenCvNetwork(models_dir / file, outputs, lowest)(*shown)
    assert [output.shape for output in ours] == [output.shape for output in theirs]
    for one, other in zip(ours, theirs, strict=True):
        assert np.abs(one - other).max() < tolerance
        assert np.abs(one[0] - one[2]).max() > 100 * tolerance, "another picture gives other numbers"


@pytest.mark.parametrize("runtime", ["litert", "opencv"])
def test_outputs_come_in_the_order_they_were_asked_for_and_outlive_the_next_run(models_dir, performer, runtime):
    network = load_network(models_dir / finder.MODEL_FILE, ("regressors", "classificators"), lowest=-1, runtime=runtime)
    face, _, noise = pictures(performer, 128)
    boxes, scores = network(face)
    assert (boxes.shape, scores.shape) == ((1, 896 * 16), (1, 896))
    kept = boxes.copy()
    network(noise)
    assert np.array_equal(boxes, kept)


@pytest.mark.parametrize("runtime", ["litert", "opencv"])
def test_a_face_is_seen_alike_whatever_runs_the_networks(models_dir, performer, runtime):
    """The whole way of a frame with each of them: the same face to a hair."""
    vision, usual = (Vision.load(models_dir, runtime=chosen) for chosen in (runtime, "opencv"))
    data = encode(performer.frame())
    one, other = vision.measure(data, None, 0.0)[0].face, usual.measure(data, None, 0.0)[0].face
    assert one.yaw == pytest.approx(other.yaw, abs=0.5)
    assert one.left_eye == pytest.approx(other.left_eye, abs=0.01)
    assert one.box == pytest.approx(other.box, abs=0.003)


def test_without_litert_opencv_runs_them(models_dir, monkeypatch):
    assert usual_runtime() == "litert"
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert isinstance(load_network(models_dir / finder.MODEL_FILE, ("regressors",), lowest=-1), OpenCvNetwork)


def test_a_worker_that_loads_them_says_nothing_by_itself(models_dir: Path):
    """Lines that no logger made would break logs that machines read; what is written before and after stays."""
    program = (
        "import sys; from pathlib import Path; from workers.vision.pipeline import Vision;"
        "print('before', file=sys.stderr); Vision.load(Path(sys.argv[1])); print('after', file=sys.stderr)"
    )
    told = subprocess.run([sys.executable, "-c", program, str(models_dir)], capture_output=True, text=True, check=True)
    assert (told.stdout, told.stderr) == ("", "before\nafter\n")
