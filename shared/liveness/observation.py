"""What one frame shows, as numbers: made by `workers.vision`, judged here.

No pixel and no face descriptor is in it, so that it may be stored while its session lives.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class Problem(StrEnum):
    """Why a frame cannot be used for judging; the codes are stable and are sent to clients as hints."""

    NO_FACE = "no_face"
    SEVERAL_FACES = "several_faces"
    TOO_FAR = "too_far"
    TOO_CLOSE = "too_close"
    CUT_OFF = "cut_off"
    TOO_DARK = "too_dark"
    TOO_BRIGHT = "too_bright"
    TOO_BLURRED = "too_blurred"


@dataclass(frozen=True, slots=True)
class Face:
    """One face: where it is, which way it looks, and what its eyes and mouth do."""

    #: Left, top, width, height of the face, as fractions of the picture's longer side.
    box: tuple[float, float, float, float]
    #: Degrees; positive when the person turns to their own left (the nose moves to an unmirrored picture's right).
    yaw: float
    #: Degrees; positive when the person looks up.
    pitch: float
    #: Degrees; positive when the head tilts clockwise in the picture.
    roll: float
    #: Inter-ocular distance seen from the front, as a fraction of the picture's longer side.
    scale: float
    #: Eye openness: the lids' distance over the eye's width, of the person's own left and right eye.
    left_eye: float
    right_eye: float
    #: Distance of the inner lips, in inter-ocular distances, seen from the front.
    mouth_open: float
    #: Distance of the mouth's corners, in inter-ocular distances, seen from the front.
    mouth_width: float
    #: How far the mouth's corners are below the nose's base, likewise: a smile lifts them.
    mouth_drop: float
    #: 0 to 1: how surely these points lie on a face; at 0.5 they were carried on from the frame before.
    sureness: float
    #: How evenly a mean head's shape must be stretched to fit: 1 evenly, less where it is squeezed along one direction, as
    #: a photo is that is turned away. The person's own proportions count as well.
    evenness: float = 1.0

    def mirrored(self) -> Face:
        """The same face in a mirrored picture: left and right change places, and nothing else."""
        return replace(self, yaw=-self.yaw, roll=-self.roll, left_eye=self.right_eye, right_eye=self.left_eye)


@dataclass(frozen=True, slots=True)
class Observation:
    """All that one frame gives to the judges."""

    #: Number of faces seen, 0 to many.
    faces: int
    problem: Problem | None = None
    face: Face | None = None
    #: Width and height of the upright picture in pixels.
    width: int = 0
    height: int = 0
    #: Mean grey level of the face, 0 to 255 (of the picture, without a face).
    brightness: float = 0.0
    #: SHA-256 of the bytes sent, first 16 hex digits: the same frame sent twice.
    digest: str = ""
    #: How much more the face's picture changed since the frame before than noise explains: about 1 to 3 for a thing that
    #: is still, from 5 on for a face that lives, 0 for the same picture again; None where there is nothing to compare.
    stir: float | None = None
    #: How much the face changed within two seconds in a way that no plane does, in shares of its contrast, away from its
    #: eyes: also away from a wide hole for the mouth, or from the lips only. 0 for most prints that are held, from 0.02 to
    #: 1 for a face that lives; None where there is nothing to compare.
    flex: float | None = None
    flex_whole: float | None = None
    #: The same since a moment ago (`workers.vision.moved.LATELY`), as a ratio to the camera's noise: up to 0.13 for a photo
    #: in a hand between two changes of photos, mostly more for a face that lives.
    flex_lately: float | None = None
    #: Samples, taken each half second or so, None in between. How surely straight edges enclose the face on three sides and
    #: end in their corners, 0 to 1; and how far fine stripes on it stand out, as a ratio of powers.
    rim: float | None = None
    moire: float | None = None
    #: How surely such a rim has moved otherwise than what lies outside of it since the sample before, 0 to 1, as the rim of
    #: a thing that somebody holds; 0 where there is no rim, None where there is nothing to compare.
    adrift: float | None = None
    #: How much of the face's change within two seconds is no multiple of the largest such change, 0 to 1: nearly nothing
    #: for photos that follow each other, however they are faded. None where nothing much has changed.
    unmixed: float | None = None
    #: How much the face's skin changed within two seconds beside small shifts and the lamp's light, in shares of its
    #: brightness: 0.001 to 0.003 for one photo that is animated, from 0.004 on for a face that lives; None where there is
    #: nothing to compare.
    skin: float | None = None
    #: Where the eyes look: the irises' mean place from the middle between the eyes' corners, in eye widths to the right and
    #: down of the picture as it was sent. None from engines that see no irises.
    gaze: tuple[float, float] | None = None
    #: How much of the face's fine detail has changed within two seconds beside a plane's movement, as a share of the detail:
    #: mostly under 0.2 for one photo that is animated, above for a face that lives; None where there is nothing to compare.
    detail: float | None = None

    @property
    def usable(self) -> bool:
        """Exactly one face, good enough to judge."""
        return self.face is not None and self.problem is None
