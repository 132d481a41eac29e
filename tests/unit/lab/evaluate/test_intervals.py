"""Intervals, against figures from elsewhere."""

from __future__ import annotations

import pytest

from ops.lab.evaluate.intervals import upper_bound, wilson


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    # Newcombe 1998 (Statistics in Medicine 17), table I, method 3: Wilson without continuity correction.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilsons_interval(k: int, n: int, low: float, high: float) -> None:
    assert wilson(k, n) == pytest.approx((low, high), abs=1e-4)


def test_nothing_is_known_of_nothing() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    assert upper_bound(0, 0) == 1.0


def test_the_rule_of_three_at_no_error() -> None:
    assert upper_bound(0, 60) == pytest.approx(0.05)
    assert upper_bound(0, 2) == 1.0


def test_the_bound_leaves_a_chance_of_one_in_twenty_to_so_few_errors() -> None:
    # One error of ten: the chance of at most one is (1-p)^10 + 10 p (1-p)^9, which is 0.05 at p = 0.3942.
    assert upper_bound(1, 10) == pytest.approx(0.3942, abs=1e-4)
    assert upper_bound(10, 10) == 1.0
