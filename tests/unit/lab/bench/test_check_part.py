"""The tables of what a check costs."""

from __future__ import annotations

from ops.lab.bench.check import check_table, memory_table
from ops.lab.rig.load import Seen


def test_a_check_is_a_share_of_what_all_processes_took() -> None:
    ended = [Seen("a", "completed", is_live=True, frames=60), Seen("b", "failed", is_live=None, frames=20)]
    rows = {str(row[0]): list(row[1:]) for row in check_table({"web": 0.4, "worker": 1.6}, ended).rows}
    assert rows["web"] == [200.0, 5.0]
    assert rows["all"] == [1000.0, 25.0]
    assert rows["checks an hour on one core"][0] == 3600
    assert rows["frames"][0] == 40
    assert rows["checks measured (live)"][0] == "2 (1)"


def test_a_hundred_sessions_take_what_they_added() -> None:
    before, warm, after = {"web": 10.0, "Redis": 1.0}, {"web": 12.0, "Redis": 2.0}, {"web": 13.0, "Redis": 4.5}
    rows = [list(row) for row in memory_table(before, warm, after, 20).rows]
    assert rows == [["web", 10.0, 12.0, 13.0, 1.0], ["Redis", 1.0, 2.0, 4.5, 2.5], ["all", 11.0, 14.0, 17.5, 3.5]]
