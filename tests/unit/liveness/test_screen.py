"""The judges of a rim around the face: how surely there is one, and whether it moves by itself."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from shared.liveness.challenge import ChallengeType
from shared.liveness.evidence import FITTED, SPECIES, Code, Finding, Preset, examine
from shared.liveness.evidence.adrift import adrift
from shared.liveness.evidence.carried import carried
from shared.liveness.evidence.screen import screen
from shared.liveness.frame import Frame
from tests.unit.liveness.people import T0, observe


def film(name: str, samples: Sequence[float | None]) -> list[Frame]:
    """Frames with these samples, five a second."""
    return [Frame(str(i), T0 + i / 5, observe(**{name: sample})) for i, sample in enumerate(samples)]


def test_a_rim_counts_by_its_median_and_its_movement_by_the_upper_quartile():
    """A rim is there all the time; a hand is still now and then, and one sample alone may be a mistake."""
    samples = [0.1, None, 0.2, None, 0.3, None, 0.7, None, 0.9]
    assert screen(film("rim", samples)) == pytest.approx(0.3)
    assert adrift(film("adrift", samples)) == pytest.approx(0.7)
    assert adrift(film("adrift", [0.0] * 7 + [0.9])) == 0


@pytest.mark.parametrize("samples", [[], [None] * 9, [None, 0.9, None]])
def test_of_fewer_than_two_samples_nothing_is_said(samples):
    """The first sample of a session has nothing to compare with."""
    assert adrift(film("adrift", samples)) is None
    assert screen(film("rim", samples)) is None


def test_more_movement_never_speaks_for_the_person():
    """The score grows with each sample."""
    least = [0.1, 0.2, 0.4, 0.1]
    for i in range(4):
        more = [sample + 0.3 * (i == j) for j, sample in enumerate(least)]
        assert adrift(film("adrift", more)) >= adrift(film("adrift", least))


def test_it_is_found_in_the_challenge_and_decides_nothing_by_itself():
    """Where the challenge passed too soon, all that was seen before it counts."""
    frames = film("adrift", [0.8, None, 0.8, None, 0.8, None, 0.1])
    found = examine(frames, [ChallengeType.SMILE], since=T0 + 1.1, met=T0 + 1.2, opening_until=T0 + 1)
    assert {f.score for f in found if f.code is Code.ADRIFT} == {0.8}
    assert SPECIES[Code.ADRIFT] == "screen_replay"
    assert Code.ADRIFT not in FITTED.decisive


def carried_before(rim: float, drift: float) -> list[Frame]:
    return [Frame(str(i), T0 + i / 5, observe(rim=rim, adrift=drift)) for i in range(6)]


@pytest.mark.parametrize(
    ("rim", "drift", "score"),
    [
        pytest.param(0.95, 0.0, 0.0, id="a window behind the head"),
        pytest.param(0.3, 0.9, 0.0, id="a hand that passes an edge"),
        pytest.param(0.7, 0.6, 0.5, id="the lesser sign counts: the rim"),
        pytest.param(0.8, 0.45, 0.5, id="the lesser sign counts: the movement"),
        pytest.param(0.9, 0.9, 1.0, id="a phone in a hand"),
    ],
)
def test_only_a_rim_that_also_moves_by_itself_is_carried(rim, drift, score):
    """Neither a room's straight lines nor a moving hand alone turn anybody away."""
    assert carried(carried_before(rim, drift)) == pytest.approx(score)


def test_a_film_on_a_carried_screen_is_not_saved_by_the_life_that_it_shows():
    """A film of a living person shows every sign of life."""
    alive = [Finding(code, 0.0, 0) for code in (Code.STIFF, Code.CALM, Code.ONE_PICTURE, Code.PLANAR, Code.ABRUPT)]
    turn = [ChallengeType.TURN_LEFT]
    seen = examine(carried_before(0.85, 0.65), turn, since=T0, met=T0 + 1, opening_until=T0 + 1)
    found = [f for f in seen if f.code is Code.CARRIED]
    least = FITTED.thresholds[Preset.LENIENT]
    assert FITTED.weigh(alive, turn).score > 0.9
    assert FITTED.weigh([*alive, *found], turn).score < least
    assert FITTED.weigh([*alive, Finding(Code.CARRIED, 0.2, 0)], turn).score > 0.9


def test_too_few_samples_say_nothing_of_what_is_carried():
    """Both signs must have been seen twice."""
    assert carried([*carried_before(0.9, 0.9)[:1], Frame("n", T0 + 1, observe(rim=0.9, adrift=None))]) is None
