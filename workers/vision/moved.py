"""Compares a face with those of earlier frames: the measures of motion that tell a living face from a photo."""

from __future__ import annotations

from dataclasses import dataclass, replace

from shared.liveness.observation import Face
from workers.vision.flex import Flex, Likeness, SmallFace, flex, seen_well
from workers.vision.landmarks import Landmarks, Picture, Points
from workers.vision.mixing import unmixed
from workers.vision.prior import Prior
from workers.vision.skin import Skin, changed, lay_out

#: Seconds for which faces are compared with the same earlier one before a new one is kept. In two seconds even a face that
#: seems still moves by more than noise; in half a second many do not.
COMPARE_WITHIN = 2.0
#: Least and most seconds between two faces that are compared for the motion of the last moment.
LATELY = (0.19, 0.6)
#: Sureness from which an engine has seen the face itself, and not only carried its points on.
SEEN = 0.6


@dataclass(frozen=True, slots=True)
class Moved:
    """The measures of motion of one face, and what later faces are compared with."""

    #: For the next `Prior`: the face compared for at most COMPARE_WITHIN, the one of a moment ago, and the skin.
    likeness: Likeness | None = None
    lately: Likeness | None = None
    skin: Skin | None = None
    #: The change since the prior's `likeness`.
    flex: Flex | None = None
    #: The change since the prior's `lately`, as a ratio to the noise (`Flex.over_noise`).
    flex_lately: float | None = None
    #: The share of the change that is no multiple of the largest one (`mixing.unmixed`), 0 to 1.
    unmixed: float | None = None
    #: The change of the skin (`skin.changed`), as a share of its brightness.
    changed: float | None = None


def compare(
    picture: Picture, landmarks: Landmarks, face: Face, prior: Prior | None, at: float, *, measured: bool = True
) -> Moved:
    """Compare a face, seen in a frame that arrived at `at`, with those that the prior holds.

    measured: False only keeps the prior's faces for later frames, which costs nothing.

    All is None without a prior, since the points of a face that was only just found may be inaccurate; and where the face
    was not surely seen, is turned too far, or is not wholly inside the picture.
    """
    if prior is None or landmarks.sureness < SEEN or not seen_well(face.yaw, face.pitch):
        return Moved()
    if not measured:
        return Moved(prior.likeness, prior.lately, prior.skin)
    small = SmallFace(picture, landmarks.points)
    if not small.whole:
        return Moved()
    likeness, flexed, share = _flexed(prior.likeness, small, at)
    lately, flexed_lately = _lately(prior.lately, small, at)
    skin, change = _skin(prior.skin, small, landmarks.points, at)
    return Moved(likeness, lately, skin, flexed, flexed_lately, share, change)


def _flexed(before: Likeness | None, small: SmallFace, at: float) -> tuple[Likeness, Flex | None, float | None]:
    """The face to compare the next one with, the change of this one, and the unmixed share of that change."""
    flexed = None if before is None else flex(before, small)
    if before is None or flexed is None:
        # A likeness that could not be compared with this face would hardly match the next one.
        return small.likeness(at), None, None
    share, largest = unmixed(flexed.left, before.largest)
    stays = at - before.at < COMPARE_WITHIN
    return replace(before, largest=largest) if stays else small.likeness(at), flexed, share


def _lately(before: Likeness | None, small: SmallFace, at: float) -> tuple[Likeness, float | None]:
    """The face of a moment ago to compare the next one with, and the change of this one since the last, over the noise."""
    if before is None or at - before.at > LATELY[1]:
        return small.likeness(at), None
    if at - before.at < LATELY[0]:
        return before, None
    flexed = flex(before, small)
    return small.likeness(at), None if flexed is None else flexed.over_noise


def _skin(before: Skin | None, small: SmallFace, points: Points, at: float) -> tuple[Skin, float | None]:
    """The skin to compare the next one with, and the change of this one."""
    flat = lay_out(small, points)
    if before is None:
        return Skin.of(flat, at), None
    stays = at - before.at < COMPARE_WITHIN
    return before if stays else Skin.of(flat, at), changed(before, flat)
