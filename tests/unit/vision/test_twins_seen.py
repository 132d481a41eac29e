"""A slow camera's pictures, each sent three times, two under way at a time, measured by two workers and judged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from ops.lab.performer import Performer
from shared.liveness.challenge import ChallengeType
from shared.liveness.evidence import FITTED, Code
from shared.liveness.frame import Frame
from shared.liveness.session import Session, State
from tests.performer import vision_of
from tests.unit.vision.scenes import T0
from workers.vision.pipeline import Vision
from workers.vision.prior import Prior

KIND = ChallengeType.TURN_LEFT
FPS, COPIES = 6.0, 3

#: Bytes, and when they arrived.
Sent = tuple[bytes, float]


@pytest.fixture(scope="module")
def pictures(performer: Performer) -> list[bytes]:
    """A turn of the head by the drawn performer, as JPEG."""
    frames = [*performer.performance([KIND], FPS), *performer.performance([], FPS)]
    return [cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes() for frame in frames]


def slow_camera(pictures: Sequence[bytes]) -> list[Sent]:
    """What a client sends that asks for more pictures than its camera gives; every fifth is overtaken by the next one."""
    sent = [(data, T0 + (i + n / COPIES) / FPS) for i, data in enumerate(pictures) for n in range(COPIES)]
    for i in range(4, len(sent) - 1, 5):
        (one, at), (other, later) = sent[i : i + 2]
        sent[i : i + 2] = [(other, at), (one, later)]
    return sent


def by_two_workers(vision: Vision, sent: Sequence[Sent]) -> Iterator[Frame]:
    """The frames as they are judged: two are measured at once, so neither is compared with the other."""
    prior: Prior | None = None
    for start in range(0, len(sent), 2):
        seen = [
            (vision.measure(data, prior, at), at, start + n) for n, (data, at) in enumerate(sent[start : start + 2])
        ]
        for (observation, _), at, number in reversed(seen):
            yield Frame(str(number), at, observation)
        prior = seen[-1][0][1]


def one_by_one(vision: Vision, sent: Sequence[Sent]) -> Iterator[Frame]:
    prior: Prior | None = None
    for number, (data, at) in enumerate(sent):
        observation, prior = vision.measure(data, prior, at)
        yield Frame(str(number), at, observation)


def judged(frames: Iterator[Frame]) -> Session:
    session = Session.open("s", [KIND], timeout_seconds=20, at=T0 - 1, ttl=300)
    for frame in frames:
        session.submit(frame.id, frame.observation, frame.at, weighing=FITTED)
    session.tick(T0 + 60, weighing=FITTED)
    return session


def test_no_judge_takes_twins_for_an_attack(pictures: list[bytes], models_dir: Path) -> None:
    vision = vision_of(models_dir)
    session = judged(by_two_workers(vision, slow_camera(pictures)))
    assert session.state is State.COMPLETED
    scores = {finding.code: finding.score for finding in session.findings}
    assert scores[Code.REPEATED] == 0
    assert scores[Code.FROZEN] < FITTED.decisive[Code.FROZEN] / 2
    assert scores[Code.UNSEEN] == 0
    # Nor do the judges see less of the person than in pictures that are sent once.
    alone = judged(one_by_one(vision, [(data, T0 + i / FPS) for i, data in enumerate(pictures)]))
    assert session.score is not None
    assert alone.score is not None
    assert session.score > alone.score / 2, scores


def test_a_loop_of_them_is_one(pictures: list[bytes], models_dir: Path) -> None:
    """The person waits in a loop of a second and a half until the recording of the gesture comes."""
    vision = vision_of(models_dir)
    waiting = pictures[: int(1.5 * FPS)] * 4
    session = judged(by_two_workers(vision, slow_camera([*waiting, *pictures])))
    assert session.is_live is False
    assert session.reason in (Code.REPEATED, Code.UNSEEN)


def test_one_picture_for_ever_is_never_live(pictures: list[bytes], models_dir: Path) -> None:
    vision = vision_of(models_dir)
    peak = pictures[int(np.argmax([abs(_yaw(vision, data)) for data in pictures]))]
    session = judged(by_two_workers(vision, slow_camera([pictures[0], *[peak] * 40])))
    assert not session.is_live


def _yaw(vision: Vision, data: bytes) -> float:
    face = vision.measure(data, None, T0)[0].face
    return 0.0 if face is None else face.yaw
