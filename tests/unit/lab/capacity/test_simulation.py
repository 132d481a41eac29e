"""The simulation of ops/capacity, against what queueing theory knows."""

from __future__ import annotations

from itertools import islice
from math import factorial

import pytest

from ops.lab.capacity.simulation import Service, constant, exponential, like, of_sessions, poisson, simulate

FRAMES = 120_000


def only(*, workers=1, worker=None, database=None, writers=1, limit=None):
    """A service whose other stations take no time."""
    return Service(
        webs=1,
        workers=workers,
        writers=writers,
        web=constant(0.0),
        worker=worker or constant(0.0),
        database=database or constant(0.0),
        limit=limit,
    )


def erlang_c(servers, offered):
    """The share that waits in M/M/c."""
    last = offered**servers / factorial(servers) * servers / (servers - offered)
    return last / (sum(offered**n / factorial(n) for n in range(servers)) + last)


@pytest.mark.parametrize("busy", [0.3, 0.7, 0.8])
def test_one_worker_takes_as_long_as_m_m_1_says(busy):
    outcome = simulate(only(worker=exponential(1.0)), poisson(busy), FRAMES, warm=2000)
    assert outcome.mean == pytest.approx(1 / (1 - busy), rel=0.05)


@pytest.mark.parametrize(("workers", "busy"), [(2, 0.7), (4, 0.8), (16, 0.9)])
def test_several_workers_take_as_long_as_m_m_c_says(workers, busy):
    outcome = simulate(only(workers=workers, worker=exponential(1.0)), poisson(workers * busy), FRAMES, warm=2000)
    waits = erlang_c(workers, workers * busy) / (workers * (1 - busy))
    assert outcome.mean == pytest.approx(1 + waits, rel=0.05)


def test_even_service_halves_the_wait_as_m_d_1_says():
    outcome = simulate(only(worker=constant(1.0)), poisson(0.7), FRAMES, warm=2000)
    assert outcome.mean == pytest.approx(1 + 0.7 / (2 * 0.3), rel=0.05)


def test_what_a_full_service_refuses_is_what_erlang_b_says():
    servers, offered = 4, 5.0
    outcome = simulate(only(workers=4, worker=exponential(1.0), limit=4), poisson(offered), FRAMES, warm=2000)
    lost = (offered**servers / factorial(servers)) / sum(offered**n / factorial(n) for n in range(servers + 1))
    assert outcome.refused_share == pytest.approx(lost, rel=0.03)


def test_a_worker_is_held_while_the_database_writes():
    slow = only(workers=2, worker=constant(0.5), database=constant(0.5), writers=2)
    outcome = simulate(slow, poisson(1.4), FRAMES, warm=2000)
    same = simulate(only(workers=2, worker=constant(1.0)), poisson(1.4), FRAMES, warm=2000)
    assert outcome.mean == pytest.approx(same.mean, rel=0.01)


def test_a_database_that_does_one_thing_at_a_time_bounds_all_workers():
    service = only(workers=64, worker=constant(0.0), database=constant(1.0), limit=10)
    outcome = simulate(service, poisson(2.0), 20_000, warm=1000)
    assert outcome.refused_share == pytest.approx(0.5, abs=0.02)
    assert outcome.quantile(0.99) <= 10.0


def test_sessions_send_as_often_as_they_are_to():
    arrivals = list(islice(of_sessions(50, 8.0), 4000))
    assert arrivals == sorted(arrivals)
    assert arrivals[-1] == pytest.approx(4000 / (50 * 8.0), rel=0.03)


def test_a_drawn_time_has_the_mean_that_was_asked_for_and_the_spread_that_was_measured():
    outcome = simulate(only(worker=like([1.0, 1.0, 4.0], 0.5)), poisson(0.001), 20_000)
    assert outcome.mean == pytest.approx(0.5, rel=0.02)
    assert outcome.quantile(0.9) == pytest.approx(1.0, rel=0.001)


def test_equal_seeds_give_equal_outcomes():
    run = [simulate(only(worker=exponential(1.0)), poisson(0.5), 500, seed=seed).latencies for seed in (1, 1, 2)]
    assert run[0] == run[1] != run[2]
