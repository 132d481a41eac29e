"""The drawn performer's gestures, filmed in many ways, as Vision sees them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from ops.lab.performer import Performer
from ops.lab.performer.acting import rehearsed
from shared.liveness.challenge import ChallengeType
from shared.liveness.frame import Frame
from shared.liveness.observation import Observation
from tests.unit.vision.pictures import encode
from workers.vision.pipeline import Vision

Picture = NDArray[np.uint8]
FPS = 8
T0 = 1_790_000_000.0


def act(performer: Performer) -> dict[ChallengeType, list[Picture]]:
    """Each gesture by itself, half a second of rest before it and a second after, of which a pass needs some."""
    return {
        kind: [performer.frame(pose) for pose in list(rehearsed([kind], FPS, np.random.default_rng(7)))[FPS // 2 :]]
        for kind in ChallengeType
    }


def tilted(picture: Picture, degrees: float) -> Picture:
    """As a camera held at a tilt shows it: clockwise."""
    height, width = picture.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1)
    return np.asarray(cv2.warpAffine(picture, turn, (width, height), borderMode=cv2.BORDER_REPLICATE))


def resized(picture: Picture, width: int, height: int) -> Picture:
    """At another resolution; what is missing at the sides is filled up."""
    scale = min(width / picture.shape[1], height / picture.shape[0])
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=method)
    x, y = width - small.shape[1], height - small.shape[0]
    return np.asarray(cv2.copyMakeBorder(small, y // 2, y - y // 2, x // 2, x - x // 2, cv2.BORDER_REPLICATE))


def further(picture: Picture, scale: float) -> Picture:
    """The same picture with everything smaller in it."""
    height, width = picture.shape[:2]
    small = resized(picture, int(scale * width), int(scale * height))
    x, y = width - small.shape[1], height - small.shape[0]
    return np.asarray(cv2.copyMakeBorder(small, y // 2, y - y // 2, x // 2, x - x // 2, cv2.BORDER_REPLICATE))


def dimmed(picture: Picture, part: float) -> Picture:
    """Every pixel multiplied."""
    return np.asarray(cv2.convertScaleAbs(picture, alpha=part))


def in_the_dark(picture: Picture) -> Picture:
    """As a camera shows a room that is all but black: a tenth of the light, and its noise."""
    noise = np.random.default_rng(3).normal(0, 3, picture.shape)
    return np.clip(0.1 * picture + noise, 0, 255).astype(np.uint8)


def mirror(picture: Picture) -> Picture:
    """As a selfie view shows it."""
    return np.asarray(cv2.flip(picture, 1))


#: How the frames are filmed and sent.
LOOKS: dict[str, Callable[[Picture], bytes]] = {
    "plain": encode,
    "mirrored": lambda p: encode(mirror(p)),
    "at 70 percent": lambda p: encode(further(p, 0.7)),
    "tilted by 12 degrees, 480 by 360": lambda p: encode(resized(tilted(p, 12), 480, 360)),
    "tilted by -12 degrees, 1280 by 720, JPEG of quality 50": lambda p: encode(
        resized(tilted(p, -12), 1280, 720), quality=50
    ),
    "dimmed to 40 percent": lambda p: encode(dimmed(p, 0.4)),
    "in the dark": lambda p: encode(in_the_dark(p)),
}


def watch(vision: Vision, frames: Iterable[bytes], at: float = T0) -> Iterator[Frame]:
    """Frames as a worker measures them, each after the one before."""
    prior = None
    for number, data in enumerate(frames):
        observation, prior = vision.measure(data, prior, at + number / FPS)
        yield Frame(f"f{number}", at + number / FPS, observation)


class Take:
    """Pictures as Vision sees them, measured as far as someone looks, and each only once."""

    def __init__(self, vision: Vision, pictures: Iterable[Picture], look: str) -> None:
        self._seen: list[Frame] = []
        self._coming = watch(vision, (LOOKS[look](picture) for picture in pictures))

    def __iter__(self) -> Iterator[Frame]:
        yield from self._seen
        for frame in self._coming:
            self._seen.append(frame)
            yield frame


def observations(vision: Vision, frames: Iterable[bytes]) -> list[Observation]:
    """What is seen in them."""
    return [frame.observation for frame in watch(vision, frames)]
