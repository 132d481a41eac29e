"""The judges of a rim around the face: how surely there is one, and whether it moves by itself."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from shared.liveness.challenge import ChallengeType
from shared.liveness.evidence import FITTED, SPECIES, Code, examine
from shared.liveness.evidence.adrift import adrift
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
