"""The arithmetic of a load: percentiles, windows, when frames are due, what a table says of a target."""

from __future__ import annotations

from itertools import islice

import pytest

from ops.lab.bench.end_to_end import target
from ops.lab.bench.growth import numbers
from ops.lab.bench.load import schedule
from ops.lab.bench.samples import Sample, percentile, summary
from ops.lab.bench.usage import Reading, between


@pytest.mark.parametrize(("percent", "value"), [(0, 1), (50, 50), (99, 99), (99.5, 100), (100, 100)])
def test_a_percentile_is_a_value_that_was_measured(percent, value):
    assert percentile([float(n) for n in range(1, 101)], percent) == value


def test_nothing_has_no_percentile():
    assert percentile([], 50) is None


def test_frames_are_due_evenly_from_one_session_after_the_other():
    due = list(islice(schedule(rate=8.0, senders=3), 5))
    assert [d.at for d in due] == [0.0, 0.125, 0.25, 0.375, 0.5]
    assert [d.sender for d in due] == [0, 1, 2, 0, 1]


def test_what_a_frame_waited_for_before_it_was_sent_is_in_its_latency():
    found = summary([Sample(due=1.0, sent=1.4, done=1.5, status=200)], 0.0, 2.0)
    assert found.p50 == pytest.approx(500.0)
    assert found.late == pytest.approx(400.0)


def test_only_what_was_done_with_in_the_window_counts_and_only_answers_have_a_latency():
    samples = [
        Sample(0.0, 0.0, 0.9, 200),  # before it
        Sample(0.9, 0.9, 1.0, 200),
        Sample(1.0, 1.0, 1.2, 200),
        Sample(1.0, 1.0, 1.9, 503, "overloaded"),
        Sample(1.0, 1.0, 2.5, 0, "TimeoutError"),
        Sample(2.9, 2.9, 3.0, 200),  # after it
    ]
    found = summary(samples, 1.0, 3.0)
    assert (found.frames, found.answered, found.rate, found.refused) == (4, 2, 1.0, 0.5)
    assert found.codes == {"overloaded": 1, "TimeoutError": 1}
    assert found.longest == pytest.approx(200.0)


def test_cpu_is_told_by_frame_and_by_kind():
    before, after = Reading(0.0, {"web": 1.0, "worker": 5.0}), Reading(10.0, {"web": 1.2, "worker": 6.0})
    assert between(before, after, 100) == pytest.approx({"web": 2.0, "worker": 10.0})
    assert between(before, after, 0) == {}


@pytest.mark.parametrize(
    ("value", "side", "met"),
    [(5.0, "at least", "yes"), (4.99, "at least", "no"), (2.0, "at most", "yes"), (2.01, "at most", "no")],
)
def test_a_target_is_met_at_its_bound(value, side, met):
    assert target("it", value, side, 5 if side == "at least" else 2)[-1] == met


def test_numbers_are_ascending_and_words_are_refused():
    assert numbers("10_000, 100") == [100, 10_000]
    assert numbers("") == []
    for wrong in ("many", "0", "-1,5"):
        with pytest.raises(Exception, match=r"whole numbers|below 1"):
            numbers(wrong)
