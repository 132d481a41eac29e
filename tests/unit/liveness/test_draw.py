"""Which challenges a session gets."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Collection
from random import Random, SystemRandom

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.liveness.challenge import EXPRESSIONS, HEAD_MOVEMENTS, OPPOSITES, ChallengeType
from shared.liveness.draw import draw, draw_order

ALL = tuple(ChallengeType)
SEEDS = st.integers(0, 2**32)
SUBSETS = st.sets(st.sampled_from(ALL), min_size=1)


def clash(one: ChallengeType, other: ChallengeType) -> bool:
    return other in (one, OPPOSITES.get(one))


def fit_draws(count: int, allowed: Collection[ChallengeType] = ALL) -> list[tuple[ChallengeType, ...]]:
    """Every draw that the rules of `draw` allow, found by trying all."""
    return [
        d
        for d in itertools.product(sorted(allowed), repeat=count)
        if not any(clash(a, b) for a, b in itertools.pairwise(d))
        and (count < 2 or (HEAD_MOVEMENTS & set(d) and EXPRESSIONS & set(d)))
    ]


@given(st.integers(1, 10), SEEDS)
def test_never_the_same_or_its_opposite_twice_running(count, seed):
    """Whoever has just turned left is asked neither for that again nor for the way back."""
    drawn = draw(count, Random(seed))
    assert len(drawn) == count
    assert not any(clash(a, b) for a, b in itertools.pairwise(drawn))


@given(st.integers(2, 10), SEEDS)
def test_from_two_on_the_head_and_the_face_both_move(count, seed):
    """No session is met by turning a picture alone, nor by a face that never turns."""
    drawn = set(draw(count, Random(seed)))
    assert drawn & HEAD_MOVEMENTS
    assert drawn & EXPRESSIONS


@pytest.mark.parametrize("count", [1, 2, 3])
def test_every_fit_draw_comes_up(count):
    """Nothing that the rules allow is left out, so that nothing can be counted on not to be asked for."""
    chance = Random(1)
    assert {tuple(draw(count, chance)) for _ in range(20_000)} == set(fit_draws(count))


@pytest.mark.parametrize("count", [1, 2, 3])
def test_every_fit_draw_is_equally_likely(count):
    """An attacker who prepares for one draw gains as little as by preparing for any other (chi-square, p > 0.001)."""
    chance, fit, tries = Random(2), fit_draws(count), 30_000
    counts = Counter(tuple(draw(count, chance)) for _ in range(tries))
    expected = tries / len(fit)
    chi_square = sum((counts[d] - expected) ** 2 / expected for d in fit)
    freedom = len(fit) - 1
    # Wilson and Hilferty's approximation of the 99.9th percentile.
    assert chi_square < freedom * (1 - 2 / (9 * freedom) + 3.09 * (2 / (9 * freedom)) ** 0.5) ** 3


@given(st.integers(1, 10), SUBSETS, SEEDS)
def test_only_what_is_allowed_is_drawn(count, allowed, seed):
    """An operator who leaves challenges out gets sessions of the others, of the length asked for, whatever they are."""
    drawn = draw(count, Random(seed), allowed)
    assert len(drawn) == count
    assert set(drawn) <= allowed
    if len(allowed) > 1:
        assert all(a is not b for a, b in itertools.pairwise(drawn)), "the same twice running only if there is one"


@given(st.integers(2, 8), SUBSETS, SEEDS)
def test_both_kinds_are_mixed_wherever_both_are_allowed(count, allowed, seed):
    """The mix holds for an operator's own choice, too, as far as that has both kinds."""
    drawn = set(draw(count, Random(seed), allowed))
    assert all(drawn & kind for kind in (HEAD_MOVEMENTS, EXPRESSIONS) if allowed & kind) or not (
        allowed & HEAD_MOVEMENTS and allowed & EXPRESSIONS
    )


@pytest.mark.parametrize("kind", ALL)
def test_a_single_allowed_challenge_is_drawn_again_and_again(kind):
    """With nothing else to draw from, the rule about twice running gives way instead of drawing for ever."""
    assert draw(3, Random(0), [kind]) == [kind] * 3


def test_of_two_opposites_each_follows_the_other():
    """Where only the opposite is left, it is drawn before the same one again."""
    drawn = draw(6, Random(0), [ChallengeType.TURN_LEFT, ChallengeType.TURN_RIGHT])
    assert all(a is not b for a, b in itertools.pairwise(drawn))


def test_a_challenge_named_twice_is_not_twice_as_likely():
    """`allowed` is a set, in whatever form it comes."""
    chance = Random(3)
    kinds = [ChallengeType.BLINK] * 9 + [ChallengeType.SMILE]
    counts = Counter(draw(1, chance, kinds)[0] for _ in range(2000))
    assert counts[ChallengeType.SMILE] == pytest.approx(1000, abs=120)


@pytest.mark.parametrize(("count", "allowed"), [(0, ALL), (-1, ALL), (1, ())])
def test_nothing_cannot_be_drawn(count, allowed):
    """No challenges, or none to choose from, is a mistake of the caller and says so."""
    with pytest.raises(ValueError, match="at least 1"):
        draw(count, Random(0), allowed)


def test_the_operating_systems_randomness_fits():
    """The operating system's randomness can be passed to `draw` as it is."""
    assert len(draw(3, SystemRandom())) == 3


@given(st.lists(st.sampled_from(ALL), min_size=1, max_size=10), SEEDS)
def test_the_order_of_challenges_that_are_named_holds_each_of_them(named, seed):
    assert Counter(draw_order(named, Random(seed))) == Counter(named)


@pytest.mark.parametrize("named", [ALL[:4], (ALL[0], ALL[1], ALL[4])], ids=str)
def test_every_fit_order_of_named_challenges_comes_up_and_no_other(named):
    chance = Random(1)
    fit = {o for o in itertools.permutations(named) if not any(clash(a, b) for a, b in itertools.pairwise(o))}
    assert {tuple(draw_order(named, chance)) for _ in range(2000)} == fit
