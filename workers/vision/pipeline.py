"""The way of one picture: decoded, its face found or followed, its points measured."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import cv2

from shared.liveness.observation import Face, Observation, Problem
from shared.telemetry.metrics.table import VISION_SECONDS, Stage
from workers.vision.adrift import Scene, adrift
from workers.vision.decode import decode
from workers.vision.descriptor import cut_chip, encode_chip
from workers.vision.dlib68 import Dlib68
from workers.vision.eyes import EyeContours
from workers.vision.face_model import fit_pose
from workers.vision.finder import DOUBTFUL, BlazeFinder, DlibFinder, Finder, Found, SecondOpinion
from workers.vision.landmarks import LandmarkEngine, Landmarks, Picture, Points, Region
from workers.vision.lighten import lightened
from workers.vision.measures import eye_openness, measure_mouth, seen_from_front
from workers.vision.mesh import Mesh
from workers.vision.moire import moire
from workers.vision.moved import SEEN, compare
from workers.vision.network import Runtime
from workers.vision.prior import Prior
from workers.vision.quality import Light, measure_light, problem_of
from workers.vision.stir import stir, take_patch
from workers.vision.surround import rim, shrunk

#: What each stage of the work takes is told by the metrics.
DECODE, FIND, POINTS, EYES, MEASURE, SAMPLES = (
    VISION_SECONDS.labels(stage) for stage in ("decode", "find", "points", "eyes", "measure", "samples")
)
#: Seconds after which the whole picture is searched again, for a second face.
SEARCH_EVERY = 0.6
#: Seconds that a face's last place is worth looking at, and its picture worth comparing.
FOLLOW = 1.5
#: Seconds that points are carried on without the engine being sure of them.
CARRY = 1.2
#: A second face counts from this share of the first one's size on: smaller ones are pictures on a wall, passers-by.
SECOND_FACE = 0.45
#: Mean grey level of a picture without a face under which darkness is why.
DARK_ROOM = 20.0
#: How sure the finder must be of a second face.
SECOND_FACE_SCORE = 0.75


@dataclass(frozen=True, slots=True)
class Seen:
    """All that is known of one picture; held by whoever asked, for as long as the work on it takes."""

    observation: Observation
    #: Where to look in the next one.
    prior: Prior | None
    picture: Picture
    landmarks: Landmarks | None = None

    def chip(self) -> bytes | None:
        """The face for the descriptor, as it travels; None without a face."""
        return None if self.landmarks is None else encode_chip(cut_chip(self.picture, self.landmarks.points))

    def jpeg(self, *, mirrored: bool = False) -> bytes:
        """The picture, upright; mirrored: it is, and is to be no more."""
        picture = cv2.flip(self.picture, 1) if mirrored else self.picture
        return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes()


class Vision:
    """Measures pictures. One object belongs to one thread: dlib's detectors do not bear two."""

    def __init__(self, engine: LandmarkEngine, finder: Finder, eyes: EyeContours | None, max_pixels: int) -> None:
        self._engine = engine
        self._finder = finder
        self._eyes = eyes
        self._max_pixels = max_pixels

    @classmethod
    def load(
        cls, models: Path, engine: str = "mesh", *, max_pixels: int = 25_000_000, runtime: Runtime | None = None
    ) -> Vision:
        """Load the models from their folder. Slow: once a process.

        engine: "mesh" (MediaPipe's mesh and eye contours) or "dlib" (dlib's detector and 68 points). runtime: what runs
        MediaPipe's networks; by default the faster one that is installed.
        """
        # One thread a process: the workers are the parallel part, and OpenCV's own threads would only fight over cores.
        cv2.setNumThreads(1)
        if engine == "dlib":
            return cls(Dlib68(models), DlibFinder(), None, max_pixels)
        if engine == "mesh":
            finder = SecondOpinion(BlazeFinder(models, DOUBTFUL, runtime=runtime), DlibFinder())
            return cls(Mesh(models, runtime), finder, EyeContours(models, runtime), max_pixels)
        raise ValueError(f"unknown landmark engine: {engine!r}; there are 'mesh' and 'dlib'")

    def measure(self, data: bytes, prior: Prior | None, at: float) -> tuple[Observation, Prior | None]:
        """What the picture in `data`, which arrived at `at`, shows; and where to look in the next one.

        Raises BadImage when the bytes are not a picture that can be judged.
        """
        seen = self.look(data, prior, at)
        return seen.observation, seen.prior

    def look(self, data: bytes, prior: Prior | None, at: float) -> Seen:
        """Like `measure`, with the picture and its points at hand."""
        with Stage(DECODE):
            picture = decode(data, self._max_pixels)
        digest = hashlib.sha256(data).hexdigest()[:16]
        height, width = picture.shape[:2]
        if prior is not None and not 0 <= at - prior.at <= FOLLOW:
            prior = None
        landmarks = self._follow(picture, prior, at)
        found: list[Found] | None = None
        if landmarks is None or prior is None or at - prior.searched_at >= SEARCH_EVERY:
            found = self._search(picture)
            if landmarks is None and found:
                landmarks = self._locate(picture, found[0].region(self._engine.region_scale))
            elif landmarks is not None and found and _far_behind(landmarks, found[0]):
                nearest = self._locate(picture, found[0].region(self._engine.region_scale))
                if nearest is not None and nearest.sureness >= SEEN:
                    landmarks, prior = nearest, None  # What came before was about another face.
        if landmarks is None:
            brightness = float(picture.mean())
            why = Problem.NO_FACE if found else self._why_nothing(picture, brightness)
            return Seen(Observation(0, why, None, width, height, brightness, digest), None, picture)
        # What is looked at now and then: a second face, a screen's rim and stripes.
        sampled = found is not None
        faces = _count(found or []) if sampled else (prior.faces if prior else 1)
        face, gaze, problem, light = self._measure_face(picture, landmarks)
        seen = landmarks.sureness >= SEEN
        searched_at = at if sampled or prior is None else prior.searched_at
        with Stage(SAMPLES):
            moved = compare(picture, landmarks, face, prior, at)
            around = _surround(picture, face, prior) if sampled else _Around(scene=prior.scene if prior else None)
        following = Prior(
            region=landmarks.region,
            at=at,
            seen_at=at if seen or prior is None else prior.seen_at,
            searched_at=searched_at,
            faces=faces,
            patch=take_patch(picture, landmarks.points, face.scale * max(height, width)),
            likeness=moved.likeness,
            lately=moved.lately,
            skin=moved.skin,
            scene=around.scene,
        )
        if faces > 1:
            problem = Problem.SEVERAL_FACES
        with Stage(SAMPLES):
            stirred = stir(prior.patch, picture) if prior and prior.patch else None
            stripes = moire(picture, face.box) if sampled else None
        observation = Observation(
            faces=faces,
            problem=problem,
            face=face,
            width=width,
            height=height,
            brightness=light.mean,
            digest=digest,
            stir=stirred,
            flex=moved.flex.upper if moved.flex else None,
            flex_whole=moved.flex.whole if moved.flex else None,
            flex_lately=moved.flex_lately,
            unmixed=moved.unmixed,
            detail=moved.flex.detail if moved.flex else None,
            skin=moved.changed,
            gaze=gaze,
            rim=around.rim,
            adrift=around.adrift,
            moire=stripes,
        )
        return Seen(observation, following, picture, landmarks)

    def _follow(self, picture: Picture, prior: Prior | None, at: float) -> Landmarks | None:
        """The face where it was a moment ago; None if it is not there any more."""
        if prior is None:
            return None
        landmarks = self._locate(picture, prior.region)
        if landmarks is not None and landmarks.sureness < SEEN and at - prior.seen_at > CARRY:
            return None
        return landmarks

    def _locate(self, picture: Picture, region: Region) -> Landmarks | None:
        with Stage(POINTS):
            landmarks = self._engine.locate(lightened(picture, _square(region)), region)
        return landmarks if landmarks.sureness >= self._engine.least_sureness else None

    def _search(self, picture: Picture) -> list[Found]:
        """Faces anywhere in the picture."""
        with Stage(FIND):
            height, width = picture.shape[:2]
            picture = lightened(picture, (0, 0, width, height))
            return self._finder.find(picture)

    def _why_nothing(self, picture: Picture, brightness: float) -> Problem:
        """Why no face was found: too dark a room, a face too far away for the finders, or none."""
        if brightness < DARK_ROOM:
            return Problem.TOO_DARK
        height, width = picture.shape[:2]
        middle = picture[height // 4 : height - height // 4, width // 4 : width - width // 4]
        return Problem.TOO_FAR if self._search(middle) else Problem.NO_FACE

    def _measure_face(
        self, picture: Picture, landmarks: Landmarks
    ) -> tuple[Face, tuple[float, float] | None, Problem | None, Light]:
        points = landmarks.points
        with Stage(EYES):
            lit = lightened(picture, _box(points))
            eyes = self._eyes.look(lit, points) if self._eyes else None
            left_eye, right_eye = eyes.openness if eyes else eye_openness(points)
        with Stage(MEASURE):
            pose = fit_pose(points)
            mouth = measure_mouth(seen_from_front(landmarks, pose))
            light = measure_light(picture, points, max(1.0, pose.scale))
        longest = max(picture.shape[:2])
        low, high = points.min(axis=0), points.max(axis=0)
        face = Face(
            box=(
                float(low[0] / longest),
                float(low[1] / longest),
                float((high[0] - low[0]) / longest),
                float((high[1] - low[1]) / longest),
            ),
            yaw=pose.yaw,
            pitch=pose.pitch,
            roll=pose.roll,
            scale=pose.scale / longest,
            left_eye=left_eye,
            right_eye=right_eye,
            mouth_open=mouth.opening,
            mouth_width=mouth.width,
            mouth_drop=mouth.drop,
            sureness=landmarks.sureness,
            evenness=pose.evenness,
        )
        problem = problem_of(picture, points, pose.scale, pose.yaw, light)
        return face, eyes.gaze if eyes else None, problem, light


@dataclass(frozen=True, slots=True)
class _Around:
    """What lies around a face, where it was looked at: how sure a rim is, and whether it moved by itself."""

    scene: Scene | None
    rim: float | None = None
    adrift: float | None = None


def _surround(picture: Picture, face: Face, prior: Prior | None) -> _Around:
    small = shrunk(picture)
    found, scene = rim(small, face.box), Scene.of(small)
    before = prior.scene if prior else None
    return _Around(scene, found.sureness, adrift(before, scene, found, face.box) if before else None)


def _far_behind(followed: Landmarks, nearest: Found) -> bool:
    """Whether the face that is followed is but a picture on the wall, or somebody passing, beside the one now in front.

    It came to be followed while the one in front was hidden.
    """
    size = float((followed.points.max(axis=0) - followed.points.min(axis=0)).max())
    return size < SECOND_FACE * max(nearest.width, nearest.height)


def _count(found: list[Found]) -> int:
    """How many people are in front of the camera: the largest face, and others nearly as large."""
    if not found:
        return 1  # The engine follows a face that the finders have lost.
    largest = found[0].width * found[0].height
    return 1 + sum(f.width * f.height >= SECOND_FACE**2 * largest and f.score >= SECOND_FACE_SCORE for f in found[1:])


def _square(region: Region) -> tuple[float, float, float, float]:
    """The middle of a region, which the face fills."""
    reach = region.side / 3
    return region.x - reach, region.y - reach, region.x + reach, region.y + reach


def _box(points: Points) -> tuple[float, float, float, float]:
    """The box around points."""
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    return float(left), float(top), float(right), float(bottom)
