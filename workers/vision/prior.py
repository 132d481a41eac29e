"""The prior: what a frame hands on to the next one of its session, to find the face faster and to compare it."""

from __future__ import annotations

from dataclasses import dataclass

from workers.vision.adrift import Scene
from workers.vision.eye_change import EyePicture
from workers.vision.flex import Likeness
from workers.vision.landmarks import Region
from workers.vision.skin import Skin
from workers.vision.stir import Patch


@dataclass(frozen=True, slots=True)
class Prior:
    """Where a face was in the frame before, and how it looked. Kept in Redis for seconds, never written to the database."""

    #: The part of the picture to search for the face.
    region: Region
    #: Arrival time of the frame, in seconds.
    at: float
    #: Arrival time of the latest frame in which the engine or a finder was sure of the face.
    seen_at: float
    #: Arrival time of the latest frame that was searched as a whole, and the number of people found in it.
    searched_at: float
    faces: int
    #: Digest of the frame's bytes, by which a picture that is sent again at once is told.
    digest: str = ""
    #: Arrival time from which a frame is measured in full again (`pipeline.IN_FULL_EVERY`).
    full_from: float = 0.0
    #: Whether a blink is asked for, so that the eyes are looked at in each frame; whoever stores the prior sets it.
    blinks: bool = True
    #: Openness of the person's left and right eye when they were looked at last.
    eyes: tuple[float, float] | None = None
    #: The middle of the face, for `stir`.
    patch: Patch | None = None
    #: The face of at most `moved.COMPARE_WITHIN` ago, for `flex`.
    likeness: Likeness | None = None
    #: The face of a moment ago (`moved.LATELY`), for `flex`.
    lately: Likeness | None = None
    #: The flattened skin of at most `moved.COMPARE_WITHIN` ago, for `skin.changed`.
    skin: Skin | None = None
    #: The eyes of the last moments, for `eye_change.compare_eyes`, oldest first.
    eye_pictures: tuple[EyePicture, ...] = ()
    #: The whole picture when a rim was last searched, for `adrift`.
    scene: Scene | None = None
