"""What one frame tells about the next: where to look, and what to compare it with."""

from __future__ import annotations

from dataclasses import dataclass

from workers.vision.adrift import Scene
from workers.vision.flex import Likeness
from workers.vision.landmarks import Region
from workers.vision.skin import Skin
from workers.vision.stir import Patch


@dataclass(frozen=True, slots=True)
class Prior:
    """What the frame before tells about where to look. Kept for seconds, between the workers, never stored."""

    region: Region
    #: Arrival of the frame it comes from.
    at: float
    #: When an engine or a finder last saw the face for itself.
    seen_at: float
    #: When the whole picture was last searched, and how many faces were there.
    searched_at: float
    faces: int
    #: The middle of the face in it.
    patch: Patch | None = None
    #: The face as it was a moment ago, two seconds at most, to see what moves in it.
    likeness: Likeness | None = None
    #: The face as it was last compared for what moved a moment ago.
    lately: Likeness | None = None
    #: The skin of the face, laid out flat, likewise.
    skin: Skin | None = None
    #: The whole picture as it was when a rim was last looked for, to see whether the rim moves by itself.
    scene: Scene | None = None
