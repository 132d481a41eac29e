"""What the drawn person does at one moment."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pose:
    """A moment of the drawn person; the default is neutral: looking into the camera, eyes open, mouth closed.

    Left and right are the person's own, as in `shared.liveness`.
    """

    #: Degrees; positive when the person turns to their own left (the nose moves to an unmirrored picture's right).
    yaw: float = 0.0
    #: Degrees; positive when the person looks up.
    pitch: float = 0.0
    #: Degrees; positive when the head tilts clockwise in the picture.
    roll: float = 0.0
    #: Where the person stands beside the middle of the picture, in widths of the face; positive is right and down.
    x: float = 0.0
    y: float = 0.0
    #: How near the person is: 1.2 is a fifth larger in the picture.
    nearness: float = 1.0
    #: How far each lid is closed, 0 to 1.
    left_lid: float = 0.0
    right_lid: float = 0.0
    #: 0 is a closed, resting mouth, 1 a broad smile that shows the teeth.
    smile: float = 0.0
    #: How far the jaw is dropped: 1 parts the lips by about 0.45 of the distance between the eyes.
    jaw: float = 0.0
    #: 1 raises the brows as somebody does who is surprised; less than 0 draws them down.
    brows: float = 0.0


NEUTRAL = Pose()
