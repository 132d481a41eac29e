"""The pipeline of one picture: decode it, find or follow its face, and measure the face's points and surroundings.

`Vision` keeps nothing between pictures. What one frame hands on to the next is a `Prior`, which the caller stores.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import cv2

from shared.liveness.observation import Face, Observation, Problem
from shared.telemetry.metrics.table import VISION_SECONDS, Stage
from workers.vision.adrift import Scene, adrift
from workers.vision.cover import Cover, measure_cover
from workers.vision.decode import decode
from workers.vision.descriptor import cut_chip, encode_chip
from workers.vision.dlib68 import Dlib68
from workers.vision.eye_change import EyePicture, compare_eyes
from workers.vision.eyes import EyeContours, Eyes
from workers.vision.face_model import fit_pose
from workers.vision.finder import DOUBTFUL, BlazeFinder, DlibFinder, Finder, Found, SecondOpinion
from workers.vision.flex import seen_well
from workers.vision.isolated import Decoded, Decoder
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

#: Timers of the stages, for the metrics.
DECODE, FIND, POINTS, EYES, MEASURE, SAMPLES = (
    VISION_SECONDS.labels(stage) for stage in ("decode", "find", "points", "eyes", "measure", "samples")
)
#: Seconds after which the whole picture is searched again for a second face.
SEARCH_EVERY = 0.6
#: Seconds between the frames of a session that are measured in full; others lack the changes of the face, and the eyes where
#: no blink is asked for. A mean, as frames come unevenly: with up to 8 a second every frame is measured in full.
IN_FULL_EVERY = 0.12
#: Seconds for which a prior is used; later the face has probably moved away.
FOLLOW = 1.5
#: Seconds for which points that the engine is unsure of are carried on from frame to frame.
CARRY = 1.2
#: Least size of a second face as a share of the largest one's; smaller ones are pictures on a wall or passers-by.
SECOND_FACE = 0.45
#: Mean grey level under which a picture without a face is too dark to find one.
DARK_ROOM = 20.0
#: Most degrees of yaw at which both sides of a face are seen well enough to tell what covers it.
COVER_SEEN = 20.0
#: Least score, 0 to 1, that the finder must give a second face.
SECOND_FACE_SCORE = 0.75


@dataclass(frozen=True, slots=True)
class Seen:
    """The result of one picture, with the pixels: for the time of the work on its frame, never stored."""

    observation: Observation
    #: What to hand on to the next picture of the session; None without a face.
    prior: Prior | None
    #: The decoded picture (height, width, 3).
    picture: Picture
    landmarks: Landmarks | None = None
    #: Seconds of the processor that decoding the picture took; 0 if it was decoded in this process.
    cost: float = 0.0

    def chip(self) -> bytes | None:
        """The encoded chip of the face, for its descriptor; None without a face."""
        return None if self.landmarks is None else encode_chip(cut_chip(self.picture, self.landmarks.points))

    def jpeg(self, *, mirrored: bool = False) -> bytes:
        """The upright picture as JPEG; mirrored: the source is mirrored; flip it back."""
        picture = cv2.flip(self.picture, 1) if mirrored else self.picture
        return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes()


class Vision:
    """The vision pipeline that measures frames. One object belongs to one thread: dlib's detectors are not thread-safe."""

    def __init__(
        self,
        engine: LandmarkEngine,
        finder: Finder,
        eyes: EyeContours | None,
        max_pixels: int,
        *,
        isolated: bool = False,
    ) -> None:
        self._engine = engine
        self._finder = finder
        self._eyes = eyes
        self._max_pixels = max_pixels
        self._decoder = Decoder(max_pixels) if isolated else None
        if self._decoder is not None:
            self._decoder.start()

    @classmethod
    def load(
        cls,
        models: Path,
        engine: str = "mesh",
        *,
        max_pixels: int = 25_000_000,
        runtime: Runtime | None = None,
        isolated: bool = False,
    ) -> Vision:
        """Load the models from their directory; slow, so once a process.

        engine: "mesh" (MediaPipe's face mesh and iris model) or "dlib" (dlib's detector and 68 points); any other raises
        ValueError. runtime: the library that runs MediaPipe's networks; default: the faster one that is installed.
        isolated: decode pictures in a process of its own, as strangers' pictures must be (`workers.vision.isolated`).
        """
        # Workers are parallel by processes; OpenCV's own threads would only compete for the cores.
        cv2.setNumThreads(1)
        if engine == "dlib":
            return cls(Dlib68(models), DlibFinder(), None, max_pixels, isolated=isolated)
        if engine == "mesh":
            finder = SecondOpinion(BlazeFinder(models, DOUBTFUL, runtime=runtime), DlibFinder())
            return cls(Mesh(models, runtime), finder, EyeContours(models, runtime), max_pixels, isolated=isolated)
        raise ValueError(f"unknown landmark engine: {engine!r}; there are 'mesh' and 'dlib'")

    def measure(self, data: bytes, prior: Prior | None, at: float) -> tuple[Observation, Prior | None]:
        """Measure the picture in `data`; returns the observation and the next prior.

        at: arrival time of the frame, in seconds since the epoch.
        prior: that of the session's frame before, or None. Raises BadImage if `data` is not a picture that can be judged.
        """
        seen = self.look(data, prior, at)
        return seen.observation, seen.prior

    def look(self, data: bytes, prior: Prior | None, at: float) -> Seen:
        """Measure like `measure`, and return the picture and its points too."""
        with Stage(DECODE):
            decoded = self._decode(data)
        seen = self._look(data, decoded.picture, prior, at)
        return replace(seen, cost=decoded.cost)

    def _decode(self, data: bytes) -> Decoded:
        return self._decoder(data) if self._decoder else Decoded(decode(data, self._max_pixels), 0.0)

    def _look(self, data: bytes, picture: Picture, prior: Prior | None, at: float) -> Seen:
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
                    landmarks, prior = nearest, None  # the prior is about another face
        if landmarks is None:
            brightness = float(picture.mean())
            cause = Problem.NO_FACE if found else self._problem_without_face(picture, brightness)
            return Seen(Observation(0, cause, None, width, height, brightness, digest), None, picture)
        # Only some pictures are sampled for a second face, and for the rim and stripes of a screen.
        sampled = found is not None
        faces = _count(found or []) if sampled else (prior.faces if prior else 1)
        # A picture that is sent again at once is no evidence, and must not take the place of one that is.
        full = prior is None or (at >= prior.full_from and prior.digest != digest)
        known = None if full or prior is None or prior.blinks or self._eyes is None else prior.eyes
        face, eyes, problem, light = self._measure_face(picture, landmarks, known)
        sure = landmarks.sureness >= SEEN
        searched_at = at if sampled or prior is None else prior.searched_at
        with Stage(SAMPLES):
            moved = compare(picture, landmarks, face, prior, at, measured=full)
            eye_pictures, eye_change = _compare_eyes(landmarks, face, eyes, prior, at)
            around = _surround(picture, face, prior) if sampled else _Around(scene=prior.scene if prior else None)
        following = Prior(
            region=landmarks.region,
            at=at,
            seen_at=at if sure or prior is None else prior.seen_at,
            searched_at=searched_at,
            faces=faces,
            digest=digest,
            full_from=_full_from(prior, at) if full or prior is None else prior.full_from,
            blinks=prior is None or prior.blinks,
            eyes=(face.left_eye, face.right_eye),
            patch=take_patch(picture, landmarks.points, face.scale * max(height, width)),
            likeness=moved.likeness,
            lately=moved.lately,
            skin=moved.skin,
            eye_pictures=eye_pictures,
            scene=around.scene,
        )
        if faces > 1:
            problem = Problem.SEVERAL_FACES
        with Stage(SAMPLES):
            stirred = stir(prior.patch, picture) if prior and prior.patch else None
            stripes = moire(picture, face.box) if sampled else None
            cover = _cover(picture, landmarks.points, face) if sampled else None
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
            eye_change=eye_change,
            gaze=eyes.gaze if eyes else None,
            cover=cover.mouth if cover else None,
            eye_light=cover.eyes if cover else None,
            eyes_seen=known is None,
            rim=around.rim,
            adrift=around.adrift,
            moire=stripes,
        )
        return Seen(observation, following, picture, landmarks)

    def _follow(self, picture: Picture, prior: Prior | None, at: float) -> Landmarks | None:
        """The face near its place in the frame before; None if it is gone, or was unsure for longer than CARRY."""
        if prior is None:
            return None
        landmarks = self._locate(picture, prior.region)
        if landmarks is not None and landmarks.sureness < SEEN and at - prior.seen_at > CARRY:
            return None
        return landmarks

    def _locate(self, picture: Picture, region: Region) -> Landmarks | None:
        with Stage(POINTS):
            landmarks = self._engine.locate(lightened(picture, _middle(region)), region)
        return landmarks if landmarks.sureness >= self._engine.least_sureness else None

    def _search(self, picture: Picture) -> list[Found]:
        """All faces in the picture, the largest first."""
        with Stage(FIND):
            height, width = picture.shape[:2]
            picture = lightened(picture, (0, 0, width, height))
            return self._finder.find(picture)

    def _problem_without_face(self, picture: Picture, brightness: float) -> Problem:
        """Why no face was found: the picture is too dark, the face too far away for the finders, or there is none."""
        if brightness < DARK_ROOM:
            return Problem.TOO_DARK
        height, width = picture.shape[:2]
        # Finders shrink what they search: faces in the middle alone are twice as large to them.
        middle = picture[height // 4 : height - height // 4, width // 4 : width - width // 4]
        return Problem.TOO_FAR if self._search(middle) else Problem.NO_FACE

    def _measure_face(
        self, picture: Picture, landmarks: Landmarks, known: tuple[float, float] | None
    ) -> tuple[Face, Eyes | None, Problem | None, Light]:
        """known: the openness of the eyes if they are not to be looked at."""
        points = landmarks.points
        with Stage(EYES):
            eyes = self._eyes.look(lightened(picture, _box(points)), points) if self._eyes and not known else None
            left_eye, right_eye = eyes.openness if eyes else known or eye_openness(points)
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
        return face, eyes, problem, light


@dataclass(frozen=True, slots=True)
class _Around:
    """The measures of a face's surroundings; None in pictures that are not sampled."""

    #: For the next `Prior`.
    scene: Scene | None
    #: Sureness of a rim around the face, 0 to 1.
    rim: float | None = None
    #: How surely the rim moved apart from its background, 0 to 1.
    adrift: float | None = None


def _full_from(prior: Prior | None, at: float) -> float:
    """The arrival time from which the next frame is measured in full, after one that was and arrived at `at`."""
    if prior is None:
        return at
    # A frame that came late brings the next one's time forward, so that unevenness leaves none out.
    return max(prior.full_from, at - IN_FULL_EVERY) + IN_FULL_EVERY


def _compare_eyes(
    landmarks: Landmarks, face: Face, eyes: Eyes | None, prior: Prior | None, at: float
) -> tuple[tuple[EyePicture, ...], float | None]:
    """The eyes to compare the next ones with, and the change of these; nothing where `moved.compare` has none either.

    eyes: None if they were not looked at; what there is to compare with then stays.
    """
    if eyes is None and prior is not None:
        return prior.eye_pictures, None
    if eyes is None or prior is None or landmarks.sureness < SEEN or not seen_well(face.yaw, face.pitch):
        return (), None
    return compare_eyes(prior.eye_pictures, eyes.pictures, at)


def _surround(picture: Picture, face: Face, prior: Prior | None) -> _Around:
    small = shrunk(picture)
    found, scene = rim(small, face.box), Scene.of(small)
    before = prior.scene if prior else None
    return _Around(scene, found.sureness, adrift(before, scene, found, face.box) if before else None)


def _cover(picture: Picture, points: Points, face: Face) -> Cover | None:
    """How far the face is covered; None if it is turned so far that one side of it is not well seen."""
    return measure_cover(picture, points, face.scale * max(picture.shape[:2])) if abs(face.yaw) <= COVER_SEEN else None


def _far_behind(followed: Landmarks, nearest: Found) -> bool:
    """Whether the followed face is much smaller than the nearest one: a picture on the wall, or somebody passing.

    The pipeline may have begun to follow such a face while the nearest one was hidden.
    """
    size = float((followed.points.max(axis=0) - followed.points.min(axis=0)).max())
    return size < SECOND_FACE * max(nearest.width, nearest.height)


def _count(found: list[Found]) -> int:
    """The number of people in front of the camera: the largest face, and sure ones of at least SECOND_FACE of its size."""
    if not found:
        return 1  # the engine follows a face that the finder does not find
    largest = found[0].width * found[0].height
    return 1 + sum(f.width * f.height >= SECOND_FACE**2 * largest and f.score >= SECOND_FACE_SCORE for f in found[1:])


def _middle(region: Region) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of the middle of a region, which the face fills."""
    reach = region.side / 3
    return region.x - reach, region.y - reach, region.x + reach, region.y + reach


def _box(points: Points) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of the points (n, 2)."""
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    return float(left), float(top), float(right), float(bottom)
