"""Programs are brought back and ended, real ones."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from ops.run import supervisor as module
from ops.run.supervisor import Program, Supervisor
from tests.waiting import until

ROOT = Path(__file__).parents[3]


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    supervisor = Supervisor(os.environ, tmp_path)
    yield supervisor
    supervisor.stop()


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def keep_running(supervisor: Supervisor, condition: Callable[[], bool]) -> None:
    """Let it work until something has come about."""

    def watch() -> None:
        try:
            until(condition)
        finally:
            supervisor.stopping.set()

    watcher = threading.Thread(target=watch)
    watcher.start()
    supervisor.keep_running()
    watcher.join()
    assert condition()


def test_what_is_killed_comes_back(supervisor: Supervisor) -> None:
    program = supervisor.start("sleeper", ["sleep", "60"])
    assert program.process
    first = program.process.pid
    os.kill(first, signal.SIGKILL)
    keep_running(supervisor, lambda: program.running and program.process is not None and program.process.pid != first)


def test_what_dies_again_and_again_is_started_less_and_less_often(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    start, starts, said = Program.start, [], []

    def noted(program: Program, environment: Mapping[str, str], directory: Path) -> None:
        starts.append(time.monotonic())
        start(program, environment, directory)

    def pauses() -> list[str]:
        said.append(capsys.readouterr().out)
        return re.findall(r"starting it again in (\d+) s", "".join(said))

    monkeypatch.setattr(Program, "start", noted)
    supervisor.start("mayfly", ["true"])
    keep_running(supervisor, lambda: len(pauses()) >= 3)
    assert pauses() == ["0", "1", "2"]
    assert len(starts) == 3, "the fourth is to come"
    assert starts[2] - starts[1] >= 1


def test_what_a_killed_program_left_behind_is_ended_before_it_comes_back(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    program = supervisor.start("parent", ["sh", "-c", "sleep 60 & echo $! > child; wait"])
    until(lambda: (tmp_path / "child").exists() and bool((tmp_path / "child").read_text()))
    child = int((tmp_path / "child").read_text())
    assert program.process
    os.kill(program.process.pid, signal.SIGKILL)
    keep_running(supervisor, lambda: not alive(child))


def test_stop_kills_what_ignores_the_signal_and_its_children(
    supervisor: Supervisor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "GRACE", 0.3)
    program = supervisor.start("deaf", ["sh", "-c", "trap '' TERM; sleep 60 & echo $! > child; wait; sleep 60"])
    until(lambda: (tmp_path / "child").exists() and bool((tmp_path / "child").read_text()))
    supervisor.stop()
    assert not program.running
    until(lambda: not alive(int((tmp_path / "child").read_text())))


def test_redis_ends_after_those_that_need_it(supervisor: Supervisor, tmp_path: Path) -> None:
    last = supervisor.start(
        "redis", ["sh", "-c", "trap 'echo redis >> ends; exit' TERM; touch a; sleep 60 & wait"], goes_last=True
    )
    supervisor.start(
        "worker", ["sh", "-c", "trap 'sleep 0.3; echo worker >> ends; exit' TERM; touch b; sleep 60 & wait"]
    )
    until(lambda: (tmp_path / "a").exists() and (tmp_path / "b").exists())
    supervisor.stop()
    assert not last.running
    assert (tmp_path / "ends").read_text().split() == ["worker", "redis"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends the children of a killed parent")
def test_programs_end_when_the_launcher_is_killed(tmp_path: Path) -> None:
    script = (
        "import os, time\nfrom pathlib import Path\nfrom ops.run.supervisor import Supervisor\n"
        "p = Supervisor(os.environ, Path('.')).start('sleeper', ['sleep', '60'])\n"
        "print(p.process.pid, flush=True)\ntime.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True) as launcher:
        assert launcher.stdout
        pid = int(launcher.stdout.readline())
        assert alive(pid)
        launcher.kill()
    until(lambda: not alive(pid))
