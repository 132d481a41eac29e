"""Frames of the drawn performer doing each gesture, drawn once and sent again and again."""

from __future__ import annotations

from pathlib import Path

import cv2

from ops.lab.performer import Performer
from shared.liveness.challenge import ChallengeType

#: Frames a second, as drawn and as sent.
FPS = 8.0


class Clips:
    """A few takes of each gesture: a second of rest, the gesture, a second of rest, as JPEGs of 640×480."""

    def __init__(self, models: Path, takes: int = 2) -> None:
        self._takes: dict[str, list[list[bytes]]] = {str(kind): [] for kind in ChallengeType}
        for seed in range(takes):
            performer = Performer(models, seed)
            for kind in ChallengeType:
                self._takes[str(kind)].append([_jpeg(frame) for frame in performer.perform(kind, FPS)])
        self.rest = self._takes[str(ChallengeType.SMILE)][0][: int(FPS * 0.7)]

    def take(self, kind: str, number: int) -> list[bytes]:
        """The JPEGs of one take; numbers beyond the last begin again. kind: a ChallengeType."""
        takes = self._takes[kind]
        return takes[number % len(takes)]


def _jpeg(picture: cv2.typing.MatLike) -> bytes:
    return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()
