"""The performer: a pose in, a camera's frame out."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ops.lab.performer import glasses, head, landmarks, paint, portrait, room
from ops.lab.performer.acting import Answering, rehearsed
from ops.lab.performer.arrays import Picture, Points
from ops.lab.performer.expression import Expressions
from ops.lab.performer.pose import NEUTRAL, Pose
from shared.liveness.challenge import ChallengeType

#: Rows of the portrait that fill the picture's height at scale 1: a face about a quarter of 640 pixels wide.
_ROWS_SHOWN = 300.0
#: The portrait's point that stands in the picture's middle.
_AIM = (225.0, 128.0)
#: Where the head turns: the neck's top, between the ears.
_PIVOT = np.array([225.0, 135.0, 45.0])
#: The camera's distance, in the portrait's pixels (one is about 1.4 mm): some 70 cm.
_DISTANCE = 480.0
#: The portrait's own head is tilted by this much; a pose's zero is upright.
_TILT = -3.2
#: Widths of the face in the portrait's pixels, the unit of Pose.x and Pose.y.
_FACE_WIDTH = 94.0
#: How much of the head's shift the shoulders follow.
_BODY_FOLLOWS = 0.8
#: The texture's enlargement over the portrait.
_FACTOR = 2
#: The head is drawn this much finer than the frame, against jagged edges.
_FINER = 2
_FAR = 1e4


@dataclass(frozen=True, slots=True)
class Look:
    """How the scene is filmed; what tests vary."""

    #: Flips each frame left to right, as a selfie view does.
    mirrored: bool = False
    #: Multiplies every pixel: 0.3 is a dim room, 1.6 a lamp in the face.
    brightness: float = 1.0
    #: Standard deviation of the camera's noise, in grey levels.
    noise: float = 2.0
    #: Size of the person in the picture; 0.6 to 2.
    scale: float = 1.0
    #: Draws glasses on the face.
    glasses: bool = False


class Performer:
    """Makes frames of a drawn person, a public-domain portrait bent into poses.

    It is a drawing, not a person, and no evidence that a check is safe. That a judge of landmarks accepts it is one of
    the limits of such judges: whoever can inject frames in the camera's place can inject a drawing that does as told.
    The same seed and the same calls give the same pixels.
    """

    def __init__(
        self,
        models_dir: Path | str,
        seed: int = 0,
        size: tuple[int, int] = (640, 480),
        *,
        mirrored: bool = False,
        brightness: float = 1.0,
        noise: float = 2.0,
        scale: float = 1.0,
        glasses: bool = False,
    ) -> None:
        self.size = size
        self.seed = seed
        self.look = Look(mirrored, brightness, noise, scale, glasses)
        chance = np.random.default_rng(seed)
        picture = portrait.load()
        points = landmarks.find(picture, Path(models_dir), portrait.FACE_AREA)
        self._texture = paint.texture(picture, points, _FACTOR)
        self._head = head.build(points)
        self._expressions = Expressions(self._head)
        # The rasteriser mixes three numbers between a triangle's corners: here, where to look in the texture.
        span = np.array(picture.shape[1::-1])
        covered = np.ones(len(self._head.vertices))
        self._where = np.column_stack([self._head.texture_at / span, covered]).astype(np.float32)
        self._span = (span * _FACTOR).astype(np.float32)
        self._pixels = size[1] / _ROWS_SHOWN * scale
        self._room = room.draw(size, chance)
        self._body, self._body_weight = portrait.body(picture)
        self._grain = chance.standard_normal((size[1] + 64, size[0] + 64, 3)).astype(np.float32) * noise
        self._grain = np.round(self._grain).astype(np.int8)
        self._chance = np.random.default_rng((seed, 1))
        self._settings = cv2.TriangleRasterizeSettings()
        self._settings.setShadingType(cv2.RASTERIZE_SHADING_SHADED)
        self._settings.setCullingMode(cv2.RASTERIZE_CULLING_NONE)

    def frame(self, pose: Pose = NEUTRAL) -> Picture:
        """One frame, BGR; each call has noise of its own."""
        picture = self._with_body(pose)
        vertices = self._placed(self._expressions.apply(pose), pose)
        self._paint_head(picture, vertices)
        if self.look.glasses:
            glasses.draw(picture, self._placed(glasses.outline(self._head.vertices), pose), self._project)
        if self.look.mirrored:
            picture = cv2.flip(picture, 1)
        return self._filmed(picture)

    def performance(
        self, types: Sequence[ChallengeType], fps: float = 8.0, *, speed: float = 1.0, strength: float = 1.0
    ) -> Iterator[Picture]:
        """Frames of gestures one after the other, at rest before, between and after; none: a second of rest.

        speed: 2 does everything in half the time. strength: 0.5 goes half the way.
        """
        chance = np.random.default_rng((self.seed, 2))
        for pose in rehearsed(types, fps, chance, speed=speed, strength=strength):
            yield self.frame(pose)

    def perform(
        self, kind: ChallengeType, fps: float = 8.0, *, speed: float = 1.0, strength: float = 1.0
    ) -> Iterator[Picture]:
        """Frames of one gesture, a second of rest before and after."""
        return self.performance([kind], fps, speed=speed, strength=strength)

    def answering(
        self,
        fps: float = 8.0,
        *,
        clock: Callable[[], float] | None = None,
        speed: float = 1.0,
        strength: float = 1.0,
    ) -> Generator[Picture, Mapping[str, Any] | None, None]:
        """Frames of a person who does what the server asks: send it the latest reply, get the next frame.

        A reply is the documented answer to a frame; None (no answer came) leaves the person doing what they did. It
        never ends by itself. Without a clock, frames are 1/fps apart; with one (say `time.monotonic`) they follow it.
        """
        person = Answering(np.random.default_rng((self.seed, 3)), speed=speed, strength=strength)
        started, number = (clock() if clock else 0.0), 0
        while True:
            t = clock() - started if clock else number / fps
            reply = yield self.frame(person.pose(t))
            number += 1
            if reply is not None:
                person.ask(_asked(reply), t)

    def _with_body(self, pose: Pose) -> Picture:
        """The room with the shoulders in front of it."""
        zoom = self._pixels * pose.nearness
        x = self.size[0] / 2 + pose.x * _FACE_WIDTH * self._pixels * _BODY_FOLLOWS - _AIM[0] * zoom
        y = self.size[1] / 2 + pose.y * _FACE_WIDTH * self._pixels * _BODY_FOLLOWS - _AIM[1] * zoom
        to_frame = np.array([[zoom, 0, x], [0, zoom, y]])
        body = cv2.warpAffine(self._body, to_frame, self.size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        weight = cv2.warpAffine(self._body_weight, to_frame, self.size, flags=cv2.INTER_LINEAR)
        return np.asarray(cv2.blendLinear(body, self._room, weight, 1 - weight))

    def _placed(self, vertices: Points, pose: Pose) -> Points:
        """The head's vertices turned and shifted, as seen from the camera: x right, y down, z away, from its lens."""
        turned = (vertices - _PIVOT) @ _rotation(pose).T + _PIVOT
        turned[:, 0] += pose.x * _FACE_WIDTH - _AIM[0]
        turned[:, 1] += pose.y * _FACE_WIDTH - _AIM[1]
        turned[:, 2] += _DISTANCE / pose.nearness
        return turned

    def _project(self, placed: Points) -> Points:
        """Where in the picture placed vertices are, in pixels."""
        flat = placed[:, :2] / placed[:, 2:] * (_DISTANCE * self._pixels)
        return np.asarray(flat + np.array(self.size) / 2)

    def _paint_head(self, picture: Picture, placed: Points) -> None:
        """Draws the head into the picture, softly at its outline."""
        at = self._project(placed)
        left, top = np.maximum(np.floor(at.min(axis=0)).astype(int) - 2, 0)
        right, bottom = np.minimum(np.ceil(at.max(axis=0)).astype(int) + 3, self.size)
        if right - left < 8 or bottom - top < 8:
            return
        width, height = int(right - left) * _FINER, int(bottom - top) * _FINER
        # The rasteriser has its own camera, in the middle of what it draws; put the vertices where that one sees them.
        depth = placed[:, 2]
        at = (at - (left, top) + 0.5) * _FINER - 0.5
        x = (at[:, 0] - (width - 1) / 2) * depth / height
        y = (at[:, 1] - (height - 1) / 2) * depth / height
        where = np.zeros((height, width, 3), np.float32)
        depths = np.full((height, width), _FAR, np.float32)
        cv2.triangleRasterize(
            np.column_stack([x, -y, -depth]).astype(np.float32),
            self._head.triangles,
            self._where,
            where,
            depths,
            np.eye(4, dtype=np.float32),
            2 * np.arctan(0.5),
            1.0,
            _FAR,
            self._settings,
        )
        u, v, covered = cv2.split(where)
        skin = cv2.remap(self._texture, u * self._span[0] + 0.5, v * self._span[1] + 0.5, cv2.INTER_LINEAR)
        # Fade inward only: outside the outline there is no texture to fade from.
        weight = np.clip(cv2.GaussianBlur(covered, (0, 0), 1.2 * _FINER) * 2 - 1, 0, 1)
        size = (int(right - left), int(bottom - top))
        skin, weight = (cv2.resize(fine, size, interpolation=cv2.INTER_AREA) for fine in (skin, weight))
        under = np.ascontiguousarray(picture[top:bottom, left:right])
        picture[top:bottom, left:right] = cv2.blendLinear(skin, under, weight, 1 - weight)

    def _filmed(self, picture: Picture) -> Picture:
        """The picture as a camera gives it: its brightness and its noise."""
        if self.look.brightness != 1.0:
            picture = cv2.convertScaleAbs(picture, alpha=self.look.brightness)
        if not self.look.noise:
            return picture
        top, left = self._chance.integers(0, 64, 2)
        grain = self._grain[top : top + self.size[1], left : left + self.size[0]]
        return np.asarray(cv2.add(picture, grain, dtype=cv2.CV_8U))


def _asked(reply: Mapping[str, Any]) -> ChallengeType | None:
    """What a reply asks for; None when it has just passed, when the session has ended, or for a word unknown here."""
    kind = reply.get("challenge_type")
    if kind is None or reply.get("passed"):
        return None
    return ChallengeType(kind) if kind in ChallengeType.__members__ else None


def _rotation(pose: Pose) -> Points:
    """The head's turn: tilted, then nodded, then turned about the upright axis."""
    yaw, pitch, roll = np.radians([pose.yaw, pose.pitch, pose.roll + _TILT])
    turn = np.array([[np.cos(yaw), 0, -np.sin(yaw)], [0, 1, 0], [np.sin(yaw), 0, np.cos(yaw)]])
    nod = np.array([[1, 0, 0], [0, np.cos(pitch), np.sin(pitch)], [0, -np.sin(pitch), np.cos(pitch)]])
    tilt = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    return np.asarray(turn @ nod @ tilt)
