"""The judge of prints with holes: nothing but what was asked for moves."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.liveness.challenge import ChallengeType
from shared.liveness.evidence import FITTED, SPECIES, Code, examine
from shared.liveness.evidence.stiff import LIVING, stiff
from shared.liveness.frame import Frame
from tests.unit.liveness.people import T0, observe

BLINK, SMILE = ChallengeType.BLINK, ChallengeType.SMILE
CHANGES = st.lists(st.floats(0, 3), min_size=5, max_size=30)


def film(upper: Sequence[float | None], whole: Sequence[float | None] | None = None) -> list[Frame]:
    """Frames with these changes, eight a second."""
    both = zip(upper, upper if whole is None else whole, strict=True)
    return [Frame(str(i), T0 + i / 8, observe(flex=a, flex_whole=b)) for i, (a, b) in enumerate(both)]


def falling(change: float) -> object:
    """What the judge makes of a face that changes so much."""
    return pytest.approx(LIVING / (LIVING + change))


def test_a_sheet_is_stiff_and_a_face_is_not():
    """1 and nearly 0, whatever was asked for."""
    for kind in ChallengeType:
        assert stiff(film([0.0] * 10), kind, T0) == 1
        assert stiff(film([0.0] * 8 + [0.2, 0.3, 0.4]), kind, T0) == falling(0.2)


@pytest.mark.parametrize(
    ("change", "score"), [(0.0, 1.0), (LIVING / 4, 0.8), (LIVING, 0.5), (1.5 * LIVING, 0.4), (9 * LIVING, 0.1)]
)
def test_it_falls_evenly_and_has_no_end(change, score):
    """One half at what most faces show: how much more than that a face shows is still told."""
    assert stiff(film([change] * 10), BLINK, T0) == pytest.approx(score)


@given(CHANGES)
def test_it_is_a_share(changes):
    """Of all, and never nothing: no movement clears a face for good."""
    assert 0 < stiff(film(changes), BLINK, T0) <= 1


@given(CHANGES, st.floats(0, 3), st.integers(0, 30))
def test_whatever_moves_more_makes_a_face_less_stiff(changes, more, at):
    """No movement speaks for an attack."""
    moving = list(changes)
    moving[at % len(moving)] += more
    assert stiff(film(moving), SMILE, T0) <= stiff(film(changes), SMILE, T0)


def test_at_a_low_frame_rate_two_pictures_are_enough():
    """Who blinks at once has been seen in six frames, two of which show it."""
    assert stiff(film([0.0] * 4 + [2.0, 2.0]), BLINK, T0) == falling(2.0)
    assert stiff(film([0.0] * 5 + [2.0]), BLINK, T0) == 1


@pytest.mark.parametrize(("bad", "score"), [(1, 1), (2, 1), (3, falling(2.0))])
def test_bad_pictures_are_no_life(bad, score):
    """Frames that were torn or blurred on their way, but not three."""
    assert stiff(film([0.0] * 9 + [2.0] * bad), BLINK, T0) == score


def test_what_is_near_the_mouth_counts_unless_the_mouth_was_asked_for():
    """A hole for a smile takes the cheeks beside the mouth with it; for a blink they are paper."""
    frames = film([0.0] * 10, [0.2] * 10)
    assert stiff(frames, BLINK, T0) == falling(0.2)
    assert stiff(frames, SMILE, T0) == 1
    assert stiff(frames, ChallengeType.OPEN_MOUTH, T0) == 1


@pytest.mark.parametrize("changes", [[], [None] * 20, [0.0] * 4, [None] * 20 + [0.0] * 4])
def test_with_too_few_comparisons_nothing_is_said(changes):
    """Nobody is turned away for a face that could not be compared."""
    frames = film(changes)
    assert stiff(frames, BLINK, T0) is None
    assert Code.STIFF not in [f.code for f in examine(frames, [BLINK], since=T0, met=T0 + 1, opening_until=T0 + 3)]


def test_it_is_weighed_whatever_is_asked_for():
    """And it is there for prints with holes."""
    curves = FITTED.curves[Code.STIFF].values()
    assert all(curve(1.0) < curve(0.0) and curve(0.0) > 0 for curve in curves), "life is a person's"
    assert min(curve(1.0) for curve in curves) < 0, "a sheet is an attack's"
    assert SPECIES[Code.STIFF] == "cut_out"


def test_a_quick_answer_is_seen_together_with_what_came_before():
    """Who looked up and then blinks at once has shown that there is a head."""
    frames = film([0.3] * 10 + [0.0] * 6)
    assert stiff(frames, BLINK, frames[10].at) == falling(0.3)
    assert stiff(frames[10:], BLINK, frames[10].at) == 1


def test_life_of_long_ago_is_no_life_now():
    """A print that is put in a person's place has to live by itself."""
    frames = film([0.3] * 10 + [0.0] * 30)
    assert stiff(frames, BLINK, frames[12].at) == 1
