"""A finding: the score of one judge of the evidence, and the codes of the judges."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Code(StrEnum):
    """The judges of the evidence by their stable codes; `meanings.MEANINGS` explains each."""

    FROZEN = "frozen"
    FLAT = "flat"
    REPEATED = "repeated"
    ABRUPT = "abrupt"
    CUT = "cut"
    STIFF = "stiff"
    SWAPPED = "swapped"
    UNIDENTIFIED = "unidentified"
    SCREEN = "screen"
    MOIRE = "moire"
    UNASKED = "unasked"
    MIXED = "mixed"
    PLANAR = "planar"
    CALM = "calm"
    UNSEEN = "unseen"
    ADRIFT = "adrift"
    CARRIED = "carried"
    ONE_PICTURE = "one_picture"
    STARING = "staring"
    TEXTURE = "texture"
    SAME_EYES = "same_eyes"
    CAMERA = "camera"
    PASSIVE = "passive"


#: The species of presentation attack (ISO/IEC 30107-3) that each judge is meant to find.
SPECIES: dict[Code, str] = {
    Code.FROZEN: "still or photo_swap",
    Code.FLAT: "moved_photo",
    Code.REPEATED: "same_frame",
    Code.ABRUPT: "photo_swap",
    Code.CUT: "screen_replay",
    Code.STIFF: "cut_out",
    Code.SWAPPED: "identity_swap",
    Code.UNIDENTIFIED: "identity_swap",
    Code.SCREEN: "screen_replay",
    Code.MOIRE: "screen_replay",
    Code.UNASKED: "replay",
    Code.MIXED: "photo_swap",
    Code.PLANAR: "photo_swap",
    Code.CALM: "animated_photo",
    Code.UNSEEN: "any",
    Code.ADRIFT: "screen_replay",
    Code.CARRIED: "screen_replay",
    Code.ONE_PICTURE: "animated_photo",
    Code.STARING: "animated_photo",
    Code.TEXTURE: "animated_photo",
    Code.SAME_EYES: "animated_photo",
    Code.CAMERA: "injected",
    Code.PASSIVE: "any",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """A judge's score over the frames of one challenge; a higher score speaks more for an attack."""

    code: Code
    #: The score, in the unit that the judge's module describes.
    score: float
    #: Position of the challenge; None if the finding is about the whole session.
    challenge: int | None = None
    #: Weight of the finding in the verdict, in bits: above 0 for a living person, below 0 for an attack. None until the
    #: session is complete.
    bits: float | None = None
