"""The operator's own model: cutting its crops out of a picture, and running its networks.

The crops are cut by the process that holds the whole frame; the networks run in another process, so that no frame waits.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from shared.evidence_model import EvidenceModel, ModelError
from shared.liveness.observation import Face
from workers.vision.landmarks import Picture

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(list[bytes])
#: Pixels of a face's box at least: a smaller one says nothing of its surface.
SMALLEST: Final = 24


def cut_crops(picture: Picture, face: Face, model: EvidenceModel) -> bytes | None:
    """The crops of a face for each of the model's networks, encoded; None if the face is too small.

    A crop has the box's middle and shape, grows as far as the picture allows and is pushed inside: as published models of
    this kind were trained.
    """
    height, width = picture.shape[:2]
    left, top, wide, high = (value * max(width, height) for value in face.box)
    if min(wide, high) < SMALLEST:
        return None
    crops = []
    for crop in model.crops:
        grown = min(crop, (width - 1) / wide, (height - 1) / high)
        x = _inside(left + wide / 2, wide * grown, width)
        y = _inside(top + high / 2, high * grown, height)
        cut = cv2.resize(picture[y[0] : y[1], x[0] : x[1]], model.size)
        crops.append(cv2.imencode(".png", cut, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes())
    return _encoder.encode(crops)


def _inside(middle: float, size: float, limit: int) -> tuple[int, int]:
    """Beginning and end of a stretch of this size around the middle, pushed inside the limit."""
    begin = min(max(0.0, middle - size / 2), limit - size)
    return max(0, round(begin)), min(limit, max(1, round(begin + size)))


class PassiveModel:
    """The loaded networks. One object belongs to one thread."""

    def __init__(self, model: EvidenceModel) -> None:
        """Raises ModelError if a file is missing, is not the described one, or holds no network that can be run."""
        cv2.setNumThreads(1)  # as everywhere in the workers, which are parallel by processes
        self._model = model
        self._nets = [_load(path, network.sha256) for path, network in model.networks]
        self._weights = np.array(model.attack, np.float64)
        # A network of other inputs or outputs is told before the first face.
        self.score(_encoder.encode([_black(model.size)] * len(self._nets)))

    def score(self, crops: bytes) -> float:
        """How much the crops that `cut_crops` made look like an attack, 0 to 1: the mean over the networks.

        Raises ValueError if these are no crops of this model.
        """
        pictures = [_picture(data, self._model.size) for data in _decoder.decode(crops)]
        scores = [self._run(net, picture) for net, picture in zip(self._nets, pictures, strict=True)]
        return float(np.clip(np.mean(scores), 0.0, 1.0))

    def _run(self, net: cv2.dnn.Net, picture: Picture) -> float:
        model = self._model
        swap = model.channels == "RGB"
        net.setInput(cv2.dnn.blobFromImage(picture, model.scale, mean=model.mean, swapRB=swap))
        outputs = np.asarray(net.forward(), np.float64).ravel()
        if outputs.shape != self._weights.shape or not np.isfinite(outputs).all():
            raise ModelError(f"gives {outputs.size} outputs, and {self._weights.size} finite ones are described")
        return float(_activated(outputs, model.outputs) @ self._weights)


def _activated(outputs: NDArray[np.float64], how: str) -> NDArray[np.float64]:
    if how == "softmax":
        powers = np.exp(outputs - outputs.max())
        return np.asarray(powers / powers.sum())
    return np.asarray(1 / (1 + np.exp(-np.clip(outputs, -60, 60)))) if how == "sigmoid" else outputs


def _load(path: Path, sha256: str) -> cv2.dnn.Net:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}") from error
    if hashlib.sha256(data).hexdigest() != sha256:
        raise ModelError(f"{path} is not the file that is described: its SHA-256 is another")
    try:
        return cv2.dnn.readNetFromONNX(np.frombuffer(data, np.uint8), cv2.dnn.ENGINE_AUTO)
    except cv2.error as error:
        raise ModelError(f"{path} holds no network that OpenCV runs: {error.err}") from error


def _picture(data: bytes, size: Sequence[int]) -> Picture:
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    if picture is None or picture.shape != (size[1], size[0], 3):
        raise ValueError("not a crop of this model")
    return np.asarray(picture, np.uint8)


def _black(size: Sequence[int]) -> bytes:
    return cv2.imencode(".png", np.zeros((size[1], size[0], 3), np.uint8))[1].tobytes()
