"""Statistics over time: how often a client sends a frame does not matter, only how long what it shows lasts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.liveness.evidence import over_time
from shared.liveness.evidence.calm import calm
from shared.liveness.evidence.frozen import frozen
from shared.liveness.evidence.planar import planar
from shared.liveness.evidence.sight import LONGEST_STEP
from shared.liveness.frame import Frame
from tests.unit.liveness.people import ALIVE, T0, observe

VALUES = st.lists(st.floats(0, 10), min_size=1, max_size=40)
PARTS = st.floats(0, 1)


@given(VALUES, PARTS, st.floats(0.01, 1))
def test_with_equal_seconds_a_quantile_is_numpys(values, part, second) -> None:
    found = over_time.quantile(values, [second] * len(values), part)
    assert found == pytest.approx(float(np.quantile(values, part)), abs=1e-6)


@given(st.lists(st.tuples(st.floats(0, 10), st.floats(0.01, 1)), min_size=1, max_size=20), PARTS)
def test_a_quantile_lies_among_its_values(measured, part) -> None:
    values, seconds = zip(*measured, strict=True)
    assert min(values) <= over_time.quantile(values, seconds, part) <= max(values)


def test_what_lasts_longer_counts_more() -> None:
    assert over_time.quantile([0, 5], [9, 1], 0.4) < over_time.quantile([0, 0, 5], [1, 1, 9], 0.6)
    assert over_time.quantile([0, 0, 5, 5, 5, 5], [4, 4, 1, 1, 1, 1], 0.4) == 0
    assert over_time.share([True, False], [3, 1]) == 0.75
    assert over_time.share([], []) == 0


def test_without_time_every_value_counts_alike() -> None:
    assert over_time.quantile([3, 1, 2], [0, 0, 0], 0.5) == 2


def test_a_moment_lasts_from_the_one_before_and_no_gap_counts_whole() -> None:
    assert over_time.durations([]) == []
    assert len(over_time.durations([5.0])) == 1
    assert over_time.durations([0, 0.1, 0.3, 9.0]) == pytest.approx([0.1, 0.1, 0.2, LONGEST_STEP])


def film(sends: list[float]) -> list[Frame]:
    """A photo that stands still but for the seconds from 2 to 3."""
    still = replace(observe(**ALIVE), stir=0.5, flex=0.0, flex_lately=0.0)
    moving = replace(still, stir=30.0, flex=0.3, flex_lately=4.0)
    return [
        Frame(str(i), T0 + at, replace(moving if 2 <= at < 3 else still, digest=str(i))) for i, at in enumerate(sends)
    ]


EVENLY = film([i / 8 for i in range(32)])
#: What moves fifteen times a second, what stands still as seldom as a face can be followed.
PICKILY = film([0, 0.4, 0.8, 1.2, 1.6, *(2 + i / 15 for i in range(15)), 3.3, 3.7])


@pytest.mark.parametrize("judge", [frozen, lambda frames: planar(frames, T0), lambda frames: calm(frames, T0)])
def test_a_client_that_sends_what_moves_hides_no_stillness(judge) -> None:
    assert judge(PICKILY) == pytest.approx(judge(EVENLY), abs=0.1)
