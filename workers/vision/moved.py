"""What has moved in a face since it was seen a moment ago: the measures that tell a living face from a photo."""

from __future__ import annotations

from dataclasses import dataclass, replace

from shared.liveness.observation import Face
from workers.vision.flex import Flex, Likeness, SmallFace, flex, seen_well
from workers.vision.landmarks import Landmarks, Picture, Points
from workers.vision.mixing import unmixed
from workers.vision.prior import Prior
from workers.vision.skin import Skin, changed, lay_out

#: Seconds after which the face that later ones are compared with, for what moves in it, is taken anew. In two seconds a
#: face that seems still has moved by more than noise. Measured, of 20 people's seconds before a blink: 6 move as little as
#: a print within half a second, one within two.
COMPARE_WITHIN = 2.0
#: Seconds, least and most, from a face to the one that is compared with it for what moved a moment ago.
LATELY = (0.19, 0.6)
#: Sureness from which an engine has seen the face for itself.
SEEN = 0.6


@dataclass(frozen=True, slots=True)
class Moved:
    """What has moved in a face, and what the next one is to be compared with."""

    likeness: Likeness | None = None
    lately: Likeness | None = None
    skin: Skin | None = None
    flex: Flex | None = None
    #: The change since `lately` over the noise.
    flex_lately: float | None = None
    unmixed: float | None = None
    #: How much the skin has changed.
    changed: float | None = None


def compare(picture: Picture, landmarks: Landmarks, face: Face, prior: Prior | None, at: float) -> Moved:
    """What has moved in a face since those that the prior holds.

    Nothing is compared with a face whose points were only just found: they may lie roughly.
    """
    if prior is None or landmarks.sureness < SEEN or not seen_well(face.yaw, face.pitch):
        return Moved()
    small = SmallFace(picture, landmarks.points)
    if not small.whole:
        return Moved()
    likeness, flexed, share = _flexed(prior.likeness, small, at)
    lately, flexed_lately = _lately(prior.lately, small, at)
    skin, change = _skin(prior.skin, small, landmarks.points, at)
    return Moved(likeness, lately, skin, flexed, flexed_lately, share, change)


def _flexed(before: Likeness | None, small: SmallFace, at: float) -> tuple[Likeness, Flex | None, float | None]:
    """The face that the next one is compared with, what has moved in this one, and how much of it is unmixed."""
    flexed = None if before is None else flex(before, small)
    if before is None or flexed is None:
        # What could not be compared with this face will hardly be with the next.
        return small.likeness(at), None, None
    share, largest = unmixed(flexed.left, before.largest)
    stays = at - before.at < COMPARE_WITHIN
    return replace(before, largest=largest) if stays else small.likeness(at), flexed, share


def _lately(before: Likeness | None, small: SmallFace, at: float) -> tuple[Likeness, float | None]:
    """The face that the next one is compared with for what moved a moment ago, and how much has moved since the last."""
    if before is None or at - before.at > LATELY[1]:
        return small.likeness(at), None
    if at - before.at < LATELY[0]:
        return before, None
    flexed = flex(before, small)
    return small.likeness(at), None if flexed is None else flexed.over_noise


def _skin(before: Skin | None, small: SmallFace, points: Points, at: float) -> tuple[Skin, float | None]:
    """The skin that the next one is compared with, and how much this one has changed."""
    flat = lay_out(small, points)
    if before is None:
        return Skin.of(flat, at), None
    stays = at - before.at < COMPARE_WITHIN
    return before if stays else Skin.of(flat, at), changed(before, flat)
