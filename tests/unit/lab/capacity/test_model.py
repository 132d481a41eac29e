"""What ops/capacity makes of what was measured."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from ops.lab.capacity import model, page
from ops.lab.capacity.__main__ import main
from ops.lab.capacity.measured import Measured, unit_of


@pytest.fixture(scope="module")
def measured():
    return Measured.read()


def test_the_page_shows_what_the_command_makes(measured):
    assert page.kept() == page.text_of(model.tables(measured)), "run: ops/capacity tables --write"


def test_a_hundred_times_the_sessions_need_a_hundred_times_the_cores(measured):
    small, large = (model.Need.of(n, measured) for n in (10**4, 10**6))
    assert large.worker_cores == pytest.approx(100 * small.worker_cores, rel=0.02)
    assert large.writes == pytest.approx(100 * small.writes)


def test_the_cores_that_are_asked_for_suffice_in_the_simulation(measured):
    need = model.Need.of(200, measured)
    service = model.service(measured, need.worker_cores, webs=need.web_cores, writers=need.postgres_cores)
    outcome = model.run(service, 200)
    assert outcome.refused == 0
    assert outcome.quantile(0.99) < 4 * outcome.quantile(0.5)


def test_half_the_cores_that_are_needed_refuse_about_half(measured):
    costs = measured.full
    workers = 10
    rate = workers / (costs["worker_cpu_ms"] + costs["postgres_cpu_ms"]) * 1e3
    service = model.service(measured, workers, webs=64, writers=64)
    outcome = model.run(service, round(2 * rate / model.FPS))
    assert outcome.refused_share == pytest.approx(0.5, abs=0.04)


def test_measured_values_are_read_as_they_were_written(tmp_path, measured):
    path = tmp_path / "measured.toml"
    values = {"embedded": measured.embedded, "full": measured.full}
    Measured.write(measured.about, values, measured.vision_ms, path)
    assert Measured.read(path) == measured


def test_each_value_says_what_it_counts():
    names = ("web_cpu_ms", "identity_cpu_ms", "redis_bytes", "redis_commands", "run_6_p99_ms", "run_6_refused")
    units = ["ms of CPU a frame", "ms of CPU a comparison", "bytes a frame", "a frame", "ms", "share of frames"]
    assert [unit_of(name) for name in names] == units


def test_the_command_simulates_numbers_of_ones_own():
    result = CliRunner().invoke(main, ["simulate", "--sessions", "4", "--workers", "2", "--writers", "0"])
    assert result.exit_code == 0
    assert "p99" in result.output
