"""The judge of photos that follow each other."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.liveness.challenge import HEAD_MOVEMENTS, ChallengeType
from shared.liveness.evidence import FITTED, SPECIES, Code, examine
from shared.liveness.evidence.mixed import mixed
from shared.liveness.evidence.weighing import Group
from shared.liveness.frame import Frame
from tests.unit.liveness.people import T0, observe
from tests.unit.liveness.weights import WEIGHTS

SMILE = ChallengeType.SMILE
SHARES = st.lists(st.floats(0, 1), min_size=3, max_size=30)


def film(shares: Sequence[float | None]) -> list[Frame]:
    """Frames with these shares, ten a second."""
    return [Frame(str(i), T0 + i / 10, observe(unmixed=share)) for i, share in enumerate(shares)]


def test_photos_are_mixed_and_a_face_is_not():
    """1 and 0; one bad frame in four does not save a stack of photos."""
    assert mixed(film([0.0] * 6), SMILE, T0) == 1
    assert mixed(film([1.0] * 6), SMILE, T0) == 0
    assert mixed(film([0.0, 0.0, 1.0, 0.0]), SMILE, T0) > 0.9
    assert mixed(film([0.0, 1.0, 1.0, 0.0]), SMILE, T0) == 0


@pytest.mark.parametrize("kind", sorted(HEAD_MOVEMENTS))
def test_a_head_that_went_somewhere_is_left_alone(kind):
    """It has two appearances, where it was and where it is."""
    assert mixed(film([0.0] * 12), kind, T0) is None


def test_who_looked_aside_a_moment_ago_is_not_judged_by_it():
    """Back from a turn, the face is compared with how it looked in the turn; two seconds later with itself."""
    aside = [Frame(f"aside {i}", T0 - 0.5 + i / 10, observe(yaw=30, unmixed=None)) for i in range(5)]
    assert mixed([*aside, *film([0.0] * 18)], SMILE, T0) is None
    assert mixed([*aside, *film([1.0] * 18 + [0.0] * 8)], SMILE, T0) == 1
    little = [Frame(f"a little {i}", T0 - 0.5 + i / 10, observe(yaw=10, unmixed=None)) for i in range(5)]
    assert mixed([*little, *film([0.0] * 18)], SMILE, T0) == 1


def test_of_too_few_changes_nothing_is_said():
    """Someone who sits still shows none at all."""
    assert mixed([], SMILE, T0) is None
    assert mixed(film([None] * 20), SMILE, T0) is None
    assert mixed(film([None] * 5 + [0.0, 0.0]), SMILE, T0) is None
    assert mixed(film([None] * 5 + [0.0, 0.0, 0.0]), SMILE, T0) == 1


def test_only_what_is_recent_counts():
    """2.5 s, though the challenge began a moment ago; more, where it has lasted longer."""
    frames = film([1.0] * 5 + [0.0] * 25)
    assert mixed(frames, SMILE, T0 + 2.8) == 1
    assert mixed(film([1.0] * 15 + [0.0] * 25), SMILE, T0) < 1


@given(SHARES)
def test_it_is_a_share(shares):
    """Between nothing and all."""
    assert 0 <= mixed(film(shares), SMILE, T0) <= 1


def test_it_is_weighed_as_a_swap_of_photos():
    """The worst finding about a stack of photos that is asked for a smile, and the more the worse."""
    findings = examine(film([0.0] * 12), [SMILE], since=T0, met=T0 + 1.1, opening_until=T0 + 3)
    assert [f.score for f in findings if f.code is Code.MIXED] == [1]
    gravest = WEIGHTS.weigh(findings, [SMILE]).gravest
    assert gravest is not None
    assert (gravest.code, SPECIES[gravest.code]) == (Code.MIXED, "photo_swap")
    for group in (Group.EYES, Group.MOUTH):
        assert FITTED.curves[Code.MIXED][group](1.0) < FITTED.curves[Code.MIXED][group](0.3)
