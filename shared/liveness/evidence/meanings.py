"""What each code of a finding, and its score, means: the sentences of docs/evidence.md (`python -m ops.run.tables`)."""

from __future__ import annotations

from collections.abc import Mapping

from shared.liveness.evidence.finding import Code

MEANINGS: Mapping[Code, str] = {
    Code.FROZEN: "The face's picture stood still: the share of steps from frame to frame that changed nothing but noise.",
    Code.FLAT: "The face was squeezed like a photo that is turned away, beyond what a turned head explains: by how much.",
    Code.REPEATED: "Pictures came back byte for byte after others, which no camera sends: the share that had come before.",
    Code.ABRUPT: "The head was elsewhere without having moved there: the share of its movement within a moment.",
    Code.CUT: "The face jumped from one frame to the next: how far, in its own widths.",
    Code.STIFF: "Nothing but what was asked for moved in the face, as in a print with holes: how stiff everything else was.",
    Code.SWAPPED: "Another person took over: the distance of this face's descriptor from that of the session's first face.",
    Code.SCREEN: "Straight edges enclosed the face and met in corners, like the rim of a screen or a print: how surely.",
    Code.MOIRE: "Fine stripes lay on the face, like those of a screen's pixels before a camera: how far they stood out.",
    Code.UNASKED: "Gestures were made that nobody had asked for: how many kinds.",
    Code.UNIDENTIFIED: "The challenge passed with a face that was never compared with the session's first face: always 1.",
    Code.UNSEEN: "Too little of the face was seen: the share of the minimum that is lacking.",
    Code.CALM: "At its calmest the face was exactly what it had been before, like one photo: how much so.",
    Code.PLANAR: "Between its changes the face moved like a sheet in a hand: how much so.",
    Code.MIXED: "The face was one picture, another, or a mixture of both, like photos that follow each other: how much so.",
    Code.ADRIFT: "A rim around the face moved differently from what lies outside, like one held in a hand: how surely.",
    Code.CARRIED: "A rim both enclosed the face and moved by itself, like a screen or a print in a hand: how surely.",
    Code.ONE_PICTURE: "The skin was one picture that only moved, like a photo that a program animates: how much so.",
    Code.TEXTURE: "The face's fine detail stayed the same, like that of one photo that a program moves: how much so.",
    Code.SAME_EYES: "The eyes were again and again what they had been before, like those of a photo: how much so.",
    Code.CAMERA: "What the client says of its camera does not fit a camera, or the pictures: how little it fits.",
    Code.PASSIVE: "The operator's own model saw no living face: the median of its scores.",
    Code.STARING: "The eyes stayed where they were in the head, like those of an animated photo: how much so.",
}
