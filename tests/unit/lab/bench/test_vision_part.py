"""Vision alone, as `ops/bench vision` measures it, without the peer, which is a gigabyte."""

from __future__ import annotations

import json

from click.testing import CliRunner

from ops.lab.bench.__main__ import bench
from ops.lab.bench.vision import PEER, kinds_table, merge, stage_means


def test_each_kind_of_frame_and_each_stage_is_measured(tmp_path, models_dir):
    """A whole run, small: a process of its own, on the drawn performer's frames."""
    arguments = [
        "vision",
        "--no-peer",
        "--engines",
        "mesh",
        "--frames",
        "20",
        "--rounds",
        "1",
        "--report",
        str(tmp_path),
    ]
    ran = CliRunner().invoke(bench, arguments, catch_exceptions=False)
    assert ran.exit_code == 0, ran.output
    mesh = json.loads((tmp_path / "vision.json").read_text())["sides"]["mesh"]
    assert mesh["tracked"]["faces"] == len(mesh["tracked"]["times"]) == 20
    assert mesh["empty"]["faces"] == 0
    assert all(searched for _, _, searched in mesh["first"]["times"])
    assert not all(searched for _, _, searched in mesh["tracked"]["times"])
    assert {"decode", "points", "eyes", "search", "rim"} <= {stage for stage, times in mesh["stages"].items() if times}
    assert 30 < mesh["memory"] < 1000


def side(*milliseconds: float) -> dict:
    kind = {"times": [[ms, ms, False] for ms in milliseconds], "faces": len(milliseconds)}
    return {"memory": 100.0, **dict.fromkeys(("tracked", "first", "empty", "large"), kind)}


def test_ours_is_told_in_parts_of_the_peers_median():
    merged = {"mesh": merge([side(2.0, 2.0), side(2.0, 8.0)]), PEER: merge([side(4.0, 4.0)])}
    rows = {row[0]: row for row in kinds_table(merged).rows}
    assert rows["tracked: mesh"][1] == 2.0
    assert rows["tracked: mesh"][3] == 3.5
    assert rows["tracked: mesh"][5] == "0.50 ×"
    assert rows["tracked: mesh"][6] == "4/4"


def test_what_no_stage_accounts_for_is_rest():
    merged = {"mesh": {**merge([side(2.0)]), "stages": {"all": [2.5], "decode": [0.5], "eyes": []}}}
    assert stage_means(merged) == {"mesh": {"decode": 0.5, "rest": 1.5}}
