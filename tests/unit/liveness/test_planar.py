"""The judges `planar` and `calm`: a photo in a hand, cut, faded or animated, against a face that lives."""

from __future__ import annotations

import pytest

from shared.liveness.evidence import SPECIES, Code
from shared.liveness.evidence.calm import calm
from shared.liveness.evidence.planar import LIVING, planar
from shared.liveness.frame import Frame
from tests.unit.liveness.people import T0, observe

#: The change over the noise of a photo in a hand, and of a face that lives; a change of photos.
HELD, LIVES, CHANGED = 0.08, 0.4, 3.0


def film(lately: list[float | None], flex: list[float | None] | None = None) -> list[Frame]:
    """Frames at four a second with these measures."""
    flex = flex or [None] * len(lately)
    return [
        Frame(f"f{i}", T0 + i / 4, observe(flex_lately=one, flex=other))
        for i, (one, other) in enumerate(zip(lately, flex, strict=True))
    ]


def test_photos_that_follow_each_other_are_planar_between_their_changes() -> None:
    """Two changes of photos in three seconds hide nothing: most of the time nothing moves within the face."""
    photos = film([HELD, HELD, HELD, CHANGED, HELD, HELD, HELD, CHANGED, CHANGED, HELD, HELD, HELD])
    person = film([LIVES, 0.3, 0.5, CHANGED, LIVES, 0.6, LIVES, 1.2, LIVES, 0.3, LIVES, LIVES])
    found, lived = planar(photos, T0), planar(person, T0)
    assert found is not None
    assert lived is not None
    assert lived < 0.5 < found


def test_half_is_the_most_that_a_photo_in_a_hand_shows() -> None:
    """The score has a meaning by itself: one half at the noise's own ceiling."""
    assert planar(film([LIVING] * 5), T0) == pytest.approx(0.5)


@pytest.mark.parametrize("step", [0.05, 0.2])
def test_more_life_never_looks_more_planar(step: float) -> None:
    scores = [planar(film([i * step] * 6), T0) for i in range(6)]
    assert scores == sorted(scores, key=lambda s: -(s or 0))


@pytest.mark.parametrize("judge", [planar, calm])
def test_too_few_comparisons_say_nothing(judge) -> None:
    """A judge that saw nothing says nothing: its silence weighs no bits."""
    assert judge([], T0) is None
    assert judge(film([None] * 10, [None] * 10), T0) is None
    assert judge(film([LIVES, LIVES, None], [0.1, 0.1, None]), T0) is None


@pytest.mark.parametrize("judge", [planar, calm])
def test_what_lies_long_before_the_challenge_does_not_count(judge) -> None:
    """A living face first and a photo later: the photo's challenge is judged by the photo."""
    alive, photo = film([LIVES] * 40, [0.1] * 40), film([HELD] * 12, [0.0] * 12)
    later = [Frame(f"p{i}", T0 + 10 + i / 4, f.observation) for i, f in enumerate(photo)]
    alone, both = judge(photo, T0), judge([*alive, *later], T0 + 10)
    assert both == alone


def test_an_animated_photo_comes_back_to_what_it_was() -> None:
    """It changes while it is animated, and is the same picture in between; a living face never is."""
    animated = film([None] * 10, [0.0, 0.001, 0.0, 0.2, 0.3, 0.2, 0.0, 0.001, 0.0, 0.0])
    person = film([None] * 10, [0.03, 0.04, 0.02, 0.2, 0.3, 0.2, 0.05, 0.03, 0.04, 0.03])
    found, lived = calm(animated, T0), calm(person, T0)
    assert found is not None
    assert lived is not None
    assert lived < 0.5 < found


def test_the_species_that_the_judges_are_there_for() -> None:
    assert (SPECIES[Code.PLANAR], SPECIES[Code.CALM]) == ("photo_swap", "animated_photo")
