"""What one judge of the evidence found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Code(StrEnum):
    """The judges of the evidence; the codes are stable."""

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
    ONE_PICTURE = "one_picture"
    STARING = "staring"
    TEXTURE = "texture"


#: The species of presentation attack (ISO/IEC 30107-3) that a judge is there for.
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
    Code.ONE_PICTURE: "animated_photo",
    Code.STARING: "animated_photo",
    Code.TEXTURE: "animated_photo",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """A judge's score over the frames of one challenge: the higher, the more it speaks for an attack."""

    code: Code
    #: In the judge's own unit, which its module describes.
    score: float
    #: Position of the challenge that it was found in; None where it is about the session as a whole.
    challenge: int | None = None
    #: The weight of the finding in the verdict, in bits: above 0 for a living person, below 0 for an attack. None until the
    #: session is complete.
    bits: float | None = None
