"""Each gesture of the drawn performer, through Vision and a session, however it is filmed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache

import pytest

from shared.liveness.challenge import HEAD_MOVEMENTS, OPPOSITES, ChallengeType
from shared.liveness.frame import Frame
from shared.liveness.session import Session
from tests.unit.liveness.weights import WEIGHTS
from tests.unit.vision.scenes import LOOKS, T0, Take, act

#: One gesture in one look by one engine.
Seen = Callable[[str, str, ChallengeType], Take]
#: With these a gesture passes as soon as enough of the face was seen: whether it lives is not asked here, and one who does
#: a single thing shows too little of it (`tests.unit.liveness.test_held` has what a pass waits for).
ANYBODY = replace(WEIGHTS, curves={}, prior=10.0)


@pytest.fixture(scope="module")
def seen(performer, visions) -> Seen:
    acted = act(performer)
    return cache(lambda engine, look, kind: Take(visions[engine], acted[kind], look))


def passed_after(kind: ChallengeType, frames: Iterable[Frame], *, mirrored: bool = False) -> float | None:
    """Seconds until the one challenge of a session passes; None if it does not."""
    session = Session.open("s", [kind], timeout_seconds=30, at=T0, ttl=300, mirrored=mirrored)
    passed = (f.at - T0 for f in frames if session.submit(f.id, f.observation, f.at, weighing=ANYBODY).passed)
    return next(passed, None)


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("kind", ChallengeType)
def test_the_mesh_sees_every_gesture_pass(seen, kind, look):
    """Size, tilt, resolution, light, compression and a mirror that was announced cost no gesture."""
    frames = seen("mesh", look, kind)
    passed = passed_after(kind, frames, mirrored=look == "mirrored")
    assert passed is not None
    assert 0.5 < passed < 2.1, "not in the half second of rest, and soon after it"


@pytest.mark.parametrize("look", ["plain", "mirrored"])
@pytest.mark.parametrize("kind", sorted(HEAD_MOVEMENTS))
def test_dlib_sees_every_head_movement_pass(seen, kind, look):
    """The other engine is held to the head at least; its points tremble more."""
    passed = passed_after(kind, seen("dlib", look, kind), mirrored=look == "mirrored")
    assert passed is not None
    assert 0.5 < passed < 2.1


@pytest.mark.parametrize("kind", [ChallengeType.BLINK, ChallengeType.OPEN_MOUTH])
def test_dlib_sees_eyes_and_mouth_too(seen, kind):
    """Well filmed, at least."""
    assert passed_after(kind, seen("dlib", "plain", kind)) is not None


@pytest.mark.parametrize("done", ChallengeType)
def test_the_mesh_sees_no_other_gesture_in_it(seen, done):
    """What is done is taken for nothing else."""
    frames = seen("mesh", "plain", done)
    assert [kind for kind in ChallengeType if passed_after(kind, frames) is not None] == [done]


@pytest.mark.parametrize("done", ChallengeType)
def test_dlib_sees_no_other_head_movement_in_it(seen, done):
    """Nor does the other engine, as far as the head goes."""
    frames = seen("dlib", "plain", done)
    assert [k for k in sorted(HEAD_MOVEMENTS) if passed_after(k, frames) is not None] == [done] * (
        done in HEAD_MOVEMENTS
    )


@pytest.mark.parametrize("done", [ChallengeType.TURN_LEFT, ChallengeType.TURN_RIGHT])
def test_left_is_right_in_a_mirror_that_was_not_announced(seen, done):
    """The picture decides, and the session's word on the mirror."""
    frames = seen("mesh", "mirrored", done)
    assert passed_after(done, frames) is None
    assert passed_after(OPPOSITES[done], frames) is not None
