"""A small model of the kind that EVIDENCE_MODEL names, made here: it tells bright faces from dark ones."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from workers.vision.onnx import Graph

SIDE = 80

TOML = """
width = {side}
height = {side}
outputs = "softmax"
attack = [1.0, 0.0, 1.0]
{more}
[[network]]
sha256 = "{sha256}"
crop = 2.7

[[network]]
file = "other.onnx"
sha256 = "{sha256}"
crop = 4.0
"""


def network() -> bytes:
    """Three outputs, of which the second is the larger the brighter the picture is: (level - 127.5) / 10."""
    graph = Graph("made", (1, 3, SIDE, SIDE))
    weights = np.zeros((3, 3, 1, 1), np.float32)
    weights[1] = 1 / 30
    mean = graph.add("GlobalAveragePool", "input")
    scaled = graph.add("Conv", mean, graph.weights(weights), graph.weights(np.array([0.0, -12.75, 0.0], np.float32)))
    return graph.encode(scaled, (1, 3, 1, 1))


def make_model(folder: Path, more: str = "") -> Path:
    """The model in a folder; its path, as EVIDENCE_MODEL has it."""
    data = network()
    for name in ("made.onnx", "other.onnx"):
        (folder / name).write_bytes(data)
    text = TOML.format(side=SIDE, sha256=hashlib.sha256(data).hexdigest(), more=more)
    (folder / "made.toml").write_text(text)
    return folder / "made.onnx"


#: A curve in the description.
CURVE = "curve = { scores = [0.2, 0.8], bits = [1.0, -4.0] }"
