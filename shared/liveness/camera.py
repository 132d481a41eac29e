"""What a client's platform says of the camera, as it came with a frame. The client may say anything, or nothing."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

#: Labels of cameras that are programs, in lower case. Programs that pass on a real camera of a phone are not among them.
VIRTUAL: Final = (
    "avatarify",
    "cyberlink youcam",
    "dummy video device (0x0000)",
    "e2esoft vcam",
    "manycam virtual webcam",
    "manycam video source",
    "obs virtual camera",
    "obs-camera",
    "obs-camera2",
    "snap camera",
    "splitcam video driver",
    "unity video capture",
    "v4l2loopback",
    "xsplit vcam",
)


def label_hash(label: str) -> str:
    """The hash by which a client names a camera: the SHA-256, in hexadecimal, of its label in lower case."""
    return hashlib.sha256(label.strip().lower().encode()).hexdigest()


#: The hashes of VIRTUAL.
VIRTUAL_HASHES: Final = frozenset(map(label_hash, VIRTUAL))


@dataclass(frozen=True, slots=True)
class CameraReport:
    """The camera as the platform describes it, and its latest pictures."""

    #: See `label_hash`; empty if the client does not say.
    label: str = ""
    #: Whether the client takes the label for that of a program.
    virtual: bool = False
    #: Width and height of the camera's pictures in pixels, and pictures a second; 0 if the client does not say.
    width: int = 0
    height: int = 0
    rate: float = 0.0
    #: The largest of these that the camera can give; 0 if the client does not say.
    most_width: int = 0
    most_height: int = 0
    most_rate: float = 0.0
    #: Milliseconds, by the client's clock, and the running number of each picture since the report before, oldest first.
    captures: tuple[tuple[float, int], ...] = ()

    @property
    def is_virtual(self) -> bool:
        """Whether the camera is a program that is known."""
        return self.virtual or self.label in VIRTUAL_HASHES
