"""Where in the picture the face is: so that a client can tell the person how to move into the middle."""

from __future__ import annotations

from dataclasses import dataclass

from shared.liveness.observation import Observation


@dataclass(frozen=True, slots=True)
class Framing:
    """A face's place in the picture as it was sent: parts of the picture's width and height, 0 to 1 within it."""

    #: The face's middle.
    x: float
    y: float
    width: float
    height: float


def framing(observation: Observation) -> Framing | None:
    """The place of the observation's face; None where there is not exactly one."""
    face, width, height = observation.face, observation.width, observation.height
    if face is None or not width or not height:
        return None
    # A face's box is measured in the picture's longer side.
    across, down = max(width, height) / width, max(width, height) / height
    left, top, wide, high = face.box
    numbers = ((left + wide / 2) * across, (top + high / 2) * down, wide * across, high * down)
    return Framing(*(round(number, 4) for number in numbers))
