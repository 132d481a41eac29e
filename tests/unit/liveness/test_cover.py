"""Mask and dark glasses: a hint while they last, and nobody is turned away for it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from shared.liveness.challenge import ChallengeType
from shared.liveness.cover import DARK_GLASSES, LEAST, MASK, is_covered
from shared.liveness.frame import Frame
from shared.liveness.session import State
from tests.unit.liveness.people import T0, Person, film, gesture, observe, opened, play, without_face

BARE = (0.4, 0.95)
MASKED = (MASK, 0.95)
SHADED = (0.4, DARK_GLASSES)
UNTOLD = (None, None)


def frames(*covers: tuple[float | None, float | None], fps: float = 8.0) -> list[Frame]:
    return [
        Frame(str(i), T0 + i / fps, observe(cover=cover, eye_light=light, digest=str(i)))
        for i, (cover, light) in enumerate(covers)
    ]


@pytest.mark.parametrize("cover", [MASKED, SHADED, (MASK, DARK_GLASSES)], ids=["mask", "glasses", "both"])
def test_what_lasts_is_seen(cover: tuple[float, float]) -> None:
    assert is_covered(frames(*[BARE] * 8, *[cover] * 16))


@pytest.mark.parametrize(
    "covers",
    [
        [BARE] * 20,
        [(MASK - 0.01, DARK_GLASSES + 0.01)] * 20,
        [MASKED] * 12 + [BARE],
        [MASKED] * 3 + [BARE] + [MASKED] * 9,
        [MASKED, SHADED] * 8,
        [UNTOLD] * 20,
        [MASKED] * (LEAST - 1),
    ],
    ids=["bare", "nearly", "bare now", "for a moment", "neither for long", "not sampled", "too few"],
)
def test_nothing_else_is(covers: Sequence[tuple[float | None, float | None]]) -> None:
    assert not is_covered(frames(*covers))


def test_frames_that_were_not_sampled_are_left_out() -> None:
    assert is_covered(frames(*[MASKED, UNTOLD, UNTOLD, UNTOLD, UNTOLD] * 4))


def test_the_hint_is_told_until_the_challenge_is_over_and_changes_nothing_else() -> None:
    """Somebody in a mask who turns their head passes as anybody."""
    acts = Person(), gesture(ChallengeType.TURN_LEFT, 2.0)
    bare, masked = (
        play(opened(ChallengeType.TURN_LEFT, timeout=20), film(*acts, seconds=6, changes=changes))
        for changes in ({}, {"cover": MASK + 1, "eye_light": 1.0})
    )
    assert "face_covered" in {answer.hint.code for answer in masked if answer.hint}
    assert "face_covered" not in {answer.hint.code for answer in bare if answer.hint}
    assert [(a.state, a.passed, a.confidence) for a in masked] == [(a.state, a.passed, a.confidence) for a in bare]
    assert masked[-1].state is State.COMPLETED


def test_a_problem_comes_first() -> None:
    session = opened(ChallengeType.SMILE, timeout=20)
    covered = film(Person(), seconds=3.2, changes={"cover": MASK + 1, "eye_light": 1.0})
    [*_, last] = play(session, [*covered, Frame("x", T0 + 3.3, without_face())])
    assert last.hint is not None
    assert last.hint.code == "no_face"
