"""Where the face is in the picture, so that a client can tell the person how to move into the middle."""

from __future__ import annotations

from dataclasses import dataclass

from shared.liveness.observation import Observation


@dataclass(frozen=True, slots=True)
class Framing:
    """A face's place in the picture as sent: fractions of the picture's width and height, 0 to 1 inside the picture."""

    #: The face's middle.
    x: float
    y: float
    width: float
    height: float


def framing(observation: Observation) -> Framing | None:
    """The place of the observation's face; None without a face or a known picture size."""
    face, width, height = observation.face, observation.width, observation.height
    if face is None or not width or not height:
        return None
    # The box is given in fractions of the picture's longer side.
    per_width, per_height = max(width, height) / width, max(width, height) / height
    left, top, box_width, box_height = face.box
    return Framing(
        x=round((left + box_width / 2) * per_width, 4),
        y=round((top + box_height / 2) * per_height, 4),
        width=round(box_width * per_width, 4),
        height=round(box_height * per_height, 4),
    )
