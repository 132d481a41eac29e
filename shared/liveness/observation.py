"""The numbers measured in one frame: made by `workers.vision`, judged in this package.

An observation holds no pixels and no face descriptor, so that it may be stored while its session lives.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from shared.liveness.camera import CameraReport


class Problem(StrEnum):
    """Why a frame cannot be judged; the codes are stable, and clients see them as hints."""

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
    #: Openness of the person's own left and right eye: the lids' distance over the eye's width.
    left_eye: float
    right_eye: float
    #: Distance of the inner lips, in inter-ocular distances, seen from the front.
    mouth_open: float
    #: Distance of the mouth's corners, in inter-ocular distances, seen from the front.
    mouth_width: float
    #: How far the mouth's corners are below the nose's base, in inter-ocular distances: a smile lifts them.
    mouth_drop: float
    #: How surely the landmarks lie on a face, 0 to 1; 0.5 where they were carried on from the frame before.
    sureness: float
    #: How evenly a mean head's shape must be stretched to fit this face: 1 if evenly, less if it is squeezed along one
    #: direction, like a photo that is turned away. Depends on the person's proportions too.
    evenness: float = 1.0

    def mirrored(self) -> Face:
        """The same face in a mirrored picture: yaw, roll and the eyes change sides; the box stays where it is."""
        return replace(self, yaw=-self.yaw, roll=-self.roll, left_eye=self.right_eye, right_eye=self.left_eye)


@dataclass(frozen=True, slots=True)
class Observation:
    """Everything that the judges know of one frame."""

    #: Number of faces seen.
    faces: int
    #: Why the frame cannot be judged; None if it can be.
    problem: Problem | None = None
    #: The face that is followed; None if none was found. Set beside others too, with the problem SEVERAL_FACES.
    face: Face | None = None
    #: Width and height of the upright picture in pixels.
    width: int = 0
    height: int = 0
    #: Mean grey level of the face, 0 to 255; of the whole picture if there is no face.
    brightness: float = 0.0
    #: First 16 hex digits of the SHA-256 of the bytes sent, to recognise a picture that is sent again.
    digest: str = ""
    #: Change of the face's pixels since the previous frame, as a ratio to what camera noise explains; 0 for the same picture
    #: again, None if there is nothing to compare.
    stir: float | None = None
    #: Change of the face within two seconds that no moved plane explains, as a share of its contrast, outside the eyes: 0
    #: for most prints, up to 1 for a living face, None if there is nothing to compare. `flex` also leaves out a wide area
    #: around the mouth, where a print may have a hole; `flex_whole` only the lips.
    flex: float | None = None
    flex_whole: float | None = None
    #: Like `flex`, over a fraction of a second (`workers.vision.moved`), as a ratio to the camera's noise: low for a photo
    #: in a hand between two changes of photos, mostly higher for a living face.
    flex_lately: float | None = None
    #: How surely straight edges enclose the face on three sides and meet in corners, as the rim of a screen does, 0 to 1.
    #: Sampled about every half second; None in between.
    rim: float | None = None
    #: How far fine stripes on the face stand out, as a ratio of powers. Sampled like `rim`.
    moire: float | None = None
    #: How surely such a rim moved differently from what lies outside it since the previous sample, as the rim of an object
    #: in a hand does, 0 to 1; 0 without a rim, None if there is nothing to compare. Sampled like `rim`.
    adrift: float | None = None
    #: Share of the face's change within two seconds that is no multiple of the largest such change, 0 to 1: near 0 for
    #: photos that follow each other, cut or faded. None if little has changed.
    unmixed: float | None = None
    #: Change of the face's skin within two seconds beyond small shifts and changes of light, as a share of its brightness:
    #: less for one animated photo than for a living face. None if there is nothing to compare.
    skin: float | None = None
    #: Where the eyes look: the irises' mean offset from the middle between the eyes' corners, in eye widths to the right and
    #: down in the picture as sent. None from landmark engines without irises.
    gaze: tuple[float, float] | None = None
    #: Whether the eyes were looked at in this frame; else their openness is that of an earlier frame, a moment ago.
    eyes_seen: bool = True
    #: How much of the face's fine detail has changed within two seconds beside a plane's movement, as a share of the detail:
    #: mostly under 0.2 for one photo that is animated, above for a face that lives; None where there is nothing to compare.
    detail: float | None = None
    #: How far mouth and chin are of one colour that is not the skin's, as under a mask: mostly under 1 for a bare face.
    #: Sampled like `rim`; None also where the face is turned away.
    cover: float | None = None
    #: The lightness of the eyes and of what lies below them, as a ratio to that of the cheeks: less behind dark glasses.
    #: Sampled like `cover`.
    eye_light: float | None = None
    #: The least change of both eyes against pictures of them from the last moments, beside an affine motion and a change of
    #: light, as a share of their contrast: about 0.01 for a photo that comes back to its eyes, mostly more than 0.03 for
    #: eyes that live. Sampled about every quarter of a second; None in between, and without the iris model.
    eye_change: float | None = None
    #: What the client says of its camera, where it sent that with this frame.
    camera: CameraReport | None = None

    @property
    def usable(self) -> bool:
        """Whether the frame shows exactly one face, good enough to judge."""
        return self.face is not None and self.problem is None
