"""The processes of `ops/chaos`: what a family is asked, whoever of it ends meanwhile."""

from __future__ import annotations

import sys
from pathlib import Path

import psutil

from ops.lab.rig.processes import Process
from tests.waiting import until

FAMILY = """
import signal, subprocess, sys, time
signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nothing is left of a child that has ended
for _ in range(2):
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
time.sleep(600)
"""


def test_who_ends_while_its_family_is_asked_is_left_out(tmp_path: Path) -> None:
    parent = Process("family", [sys.executable, "-c", FAMILY], log=tmp_path / "family.log")
    parent.start()
    try:
        until(lambda: len(parent.family()) == 3)
        first, *children = parent.family()

        def ask(process: psutil.Process) -> int:
            if process == first:
                children[0].kill()
                until(lambda: not children[0].is_running())
            process.cpu_times()
            return int(process.pid)

        assert parent.of_each(ask) == [first.pid, children[1].pid]
    finally:
        parent.kill()
    assert parent.family() == []
