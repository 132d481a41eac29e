"""What each code of a finding means, in a sentence: docs/evidence.md is made from here (`python -m ops.run.tables`)."""

from __future__ import annotations

from collections.abc import Mapping

from shared.liveness.evidence.finding import Code

MEANINGS: Mapping[Code, str] = {
    Code.FROZEN: "The face's picture stood still: the share of steps from frame to frame that changed nothing but noise.",
    Code.FLAT: "The face was squeezed as a photo is that is turned away, beyond what a turned head explains: by how much.",
    Code.REPEATED: "The same bytes came again, which no camera sends: the share of frames whose bytes had come before.",
    Code.ABRUPT: "The head was there without having gone there: the share of its movement between one frame and the next.",
    Code.CUT: "The face jumped from one frame to the next: how far, in its own widths.",
    Code.STIFF: "Nothing but what was asked for moved in the face, as in a print with holes in it: how stiff the rest was.",
    Code.SWAPPED: "Another person took over: how far this face's descriptor is from that of the session's first.",
    Code.SCREEN: "Straight edges enclose the face and meet in corners, as the rim of a screen or a print does: how surely.",
    Code.MOIRE: "Fine stripes, as a screen's pixels make before a camera's: how far they stand out.",
    Code.UNASKED: "Gestures were made that nobody had asked for: how many kinds.",
    Code.UNIDENTIFIED: "The challenge passed with a face that could not be compared with the session's first: 1 where so.",
    Code.UNSEEN: "Too little of the face was seen: the share of the minimum that is lacking.",
    Code.CALM: "At its calmest the face was again what it had been before, as one photo is: how much so.",
    Code.PLANAR: "Between its changes the face moved as a sheet in a hand does: how much so, most of the time.",
    Code.MIXED: "The face was one picture, another, or a mixture of both, as photos that follow each other: how much so.",
    Code.ADRIFT: "Such a rim moved otherwise than what lies outside of it, as that of a thing in a hand: how surely.",
    Code.ONE_PICTURE: "The skin was one picture that only moved, as a photo that a program animates: how much so.",
    Code.TEXTURE: "The face's fine detail stayed the same, as that of one photo does that a program moves: how much so.",
    Code.STARING: "The eyes stayed where they were in the head, as those of an animated photo: how much so.",
}
