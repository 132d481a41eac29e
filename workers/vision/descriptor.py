"""Who a face belongs to, as 128 numbers: dlib's ResNet model (CC0), and the small aligned picture that it looks at.

Making the picture (a chip) takes a millisecond and is done by whoever has the whole picture; the network takes ten times as
long and is run elsewhere. The numbers are personal data: they are compared and forgotten, never stored or logged.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import dlib
import numpy as np
from numpy.typing import NDArray

from workers.vision import resnet
from workers.vision.landmarks import Picture, Points

MODEL_FILE = "dlib_face_recognition_resnet_model_v1.dat"

#: Side of a chip in pixels, and the margin around the face in it as a share of the face: what the model was trained on.
CHIP_SIDE = resnet.SIDE
_MARGIN = 0.25
#: Mean red, green and blue, and the scale, of what the model was trained on.
_MEAN, _SCALE = (122.782, 117.001, 104.298), 1 / 256
#: Quality of the JPEG that a chip travels as: 12 kB in place of 68.
_QUALITY = 95

#: 128 numbers.
Descriptor = NDArray[np.float32]


def cut_chip(picture: Picture, points: Points) -> Picture:
    """The face with these 68 points (68, 2; any engine's), upright and CHIP_SIDE wide.

    The alignment uses eyes, nose and mouth only: the jaw's points, in which engines differ, do not count.
    """
    height, width = picture.shape[:2]
    low, high = np.floor(points.min(axis=0)).astype(int), np.ceil(points.max(axis=0)).astype(int)
    # dlib wants a copy in its own order of colours: of the face's surroundings, not of megapixels.
    room = (high - low).max()
    left, top = np.maximum(low - room, 0)
    right, bottom = np.minimum(high + room, (width, height))
    around = np.ascontiguousarray(picture[top:bottom, left:right, ::-1])
    shape = dlib.full_object_detection(
        dlib.rectangle(*(low - (left, top)).tolist(), *(high - (left, top)).tolist()),
        dlib.points([dlib.point(*xy) for xy in np.rint(points - (left, top)).astype(int).tolist()]),
    )
    chip = dlib.get_face_chip(around, shape, CHIP_SIDE, _MARGIN)
    return np.asarray(chip, dtype=np.uint8)[:, :, ::-1]


def encode_chip(chip: Picture) -> bytes:
    """A chip as it travels."""
    return cv2.imencode(".jpg", chip, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes()


def decode_chip(data: bytes) -> Picture:
    """The reverse of `encode_chip`; raises ValueError where `data` is not of its making."""
    chip = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    if chip is None or chip.shape != (CHIP_SIDE, CHIP_SIDE, 3):
        raise ValueError("not a chip")
    return np.asarray(chip, dtype=np.uint8)


def to_bytes(descriptor: Descriptor) -> bytes:
    """As it is kept for a while."""
    return descriptor.astype("<f4").tobytes()


def from_bytes(data: bytes) -> Descriptor:
    """The reverse of `to_bytes`."""
    return np.frombuffer(data, dtype="<f4").astype(np.float32)


def distance(one: Descriptor, other: Descriptor) -> float:
    """How far apart two faces are: 0.24 in the median for one person, 0.81 for two (`shared.liveness.identity`)."""
    return float(np.linalg.norm(one - other))


class Describer:
    """The network. One object belongs to one thread."""

    def __init__(self, models: Path) -> None:
        cv2.setNumThreads(1)  # as everywhere in the workers: processes are the parallel part
        network = np.frombuffer(resnet.as_onnx(models / MODEL_FILE), np.uint8)
        self._net = cv2.dnn.readNetFromONNX(network, cv2.dnn.ENGINE_CLASSIC)

    def describe(self, chip: Picture) -> Descriptor:
        """Whose face the chip shows: the mean of what the network says of it and of its mirror image.

        The network says something else of either; what they have in common is the person's. It takes two passes.
        """
        return np.mean([self._once(chip), self._once(chip[:, ::-1])], axis=0, dtype=np.float32)

    def _once(self, chip: Picture) -> Descriptor:
        self._net.setInput(cv2.dnn.blobFromImage(np.ascontiguousarray(chip), _SCALE, mean=_MEAN, swapRB=True))
        return np.array(self._net.forward(), dtype=np.float32).ravel()
