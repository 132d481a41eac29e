"""Face descriptors: 128 numbers that tell people apart, from dlib's ResNet model (CC0).

The model's input is a chip, a small aligned picture of the face. A chip is quick to cut and is cut by the process that holds
the whole frame; the network is slow and runs in a process of its own. Descriptors are personal data: they are compared and
forgotten, never logged or written to disk.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import dlib
import numpy as np
from numpy.typing import NDArray

from workers.vision import resnet
from workers.vision.landmarks import Picture, Points

MODEL_FILE = "dlib_face_recognition_resnet_model_v1.dat"

#: Side of a chip in pixels, and the margin around its face as a share of the face: those that the model was trained on.
CHIP_SIDE = resnet.SIDE
_MARGIN = 0.25
#: Mean red, green and blue to subtract, and the factor to multiply by: those that the model was trained on.
_MEAN, _SCALE = (122.782, 117.001, 104.298), 1 / 256
#: JPEG quality of an encoded chip, which is a sixth of the raw pixels.
_QUALITY = 95

#: 128 numbers (128,).
Descriptor = NDArray[np.float32]


def cut_chip(picture: Picture, points: Points) -> Picture:
    """Cut out the face with these 68 points (68, 2), upright: a chip (CHIP_SIDE, CHIP_SIDE, 3) in blue, green and red.

    The points of any engine will do: the alignment ignores those of the jaw, in which engines differ.
    """
    height, width = picture.shape[:2]
    low, high = np.floor(points.min(axis=0)).astype(int), np.ceil(points.max(axis=0)).astype(int)
    # dlib needs a copy in red, green and blue: only the face's surroundings are copied.
    margin = (high - low).max()
    left, top = np.maximum(low - margin, 0)
    right, bottom = np.minimum(high + margin, (width, height))
    around = np.ascontiguousarray(picture[top:bottom, left:right, ::-1])
    shape = dlib.full_object_detection(
        dlib.rectangle(*(low - (left, top)).tolist(), *(high - (left, top)).tolist()),
        dlib.points([dlib.point(*xy) for xy in np.rint(points - (left, top)).astype(int).tolist()]),
    )
    chip = dlib.get_face_chip(around, shape, CHIP_SIDE, _MARGIN)
    return np.asarray(chip, dtype=np.uint8)[:, :, ::-1]


def encode_chip(chip: Picture) -> bytes:
    """Encode a chip as JPEG, to be sent to another process."""
    return cv2.imencode(".jpg", chip, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes()


def decode_chip(data: bytes) -> Picture:
    """Decode what `encode_chip` made; raises ValueError if `data` is not a picture of a chip's size."""
    chip = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    if chip is None or chip.shape != (CHIP_SIDE, CHIP_SIDE, 3):
        raise ValueError("not a chip")
    return np.asarray(chip, dtype=np.uint8)


def to_bytes(descriptor: Descriptor) -> bytes:
    """Pack a descriptor into 512 bytes, to be kept in Redis for a while."""
    return descriptor.astype("<f4").tobytes()


def from_bytes(data: bytes) -> Descriptor:
    """Unpack what `to_bytes` made."""
    return np.frombuffer(data, dtype="<f4").astype(np.float32)


def distance(one: Descriptor, other: Descriptor) -> float:
    """Euclidean distance of two descriptors; `shared.liveness.identity` has the limits for two people."""
    return float(np.linalg.norm(one - other))


class Describer:
    """The descriptor network. One object belongs to one thread."""

    def __init__(self, models: Path) -> None:
        cv2.setNumThreads(1)  # as everywhere in the workers, which are parallel by processes
        network = np.frombuffer(resnet.as_onnx(models / MODEL_FILE), np.uint8)
        self._net = cv2.dnn.readNetFromONNX(network, cv2.dnn.ENGINE_CLASSIC)

    def describe(self, chip: Picture, enough: Callable[[Descriptor], bool] | None = None) -> Descriptor:
        """The descriptor of a chip (CHIP_SIDE, CHIP_SIDE, 3): the mean over the chip and its mirror image.

        The network's answer changes when a face is mirrored, although the person does not: the mean of both is steadier.
        enough: whether the descriptor of the chip alone, which it is given, will do; this saves half of the time.
        """
        alone = self._pass(chip)
        if enough is not None and enough(alone):
            return alone
        return np.mean([alone, self._pass(chip[:, ::-1])], axis=0, dtype=np.float32)

    def _pass(self, chip: Picture) -> Descriptor:
        self._net.setInput(cv2.dnn.blobFromImage(np.ascontiguousarray(chip), _SCALE, mean=_MEAN, swapRB=True))
        return np.array(self._net.forward(), dtype=np.float32).ravel()
