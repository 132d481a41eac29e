"""The program itself, as a process, against a real server."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.documented_server import SESSION, completed, passed, problem, reply
from tests.waiting import PATIENCE, until

TOP = Path(__file__).resolve().parents[4]
#: As the launcher starts it: the Python client is a package of its own.
COMMAND = ["env", f"PYTHONPATH={TOP}:{TOP}/api/clients/python", sys.executable, "-m", "ops.lab.replay"]


def replay(*arguments: object, within: float = 30) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *map(str, arguments)], cwd=TOP, capture_output=True, text=True, timeout=within, check=False
    )


def words(done: subprocess.CompletedProcess[str]) -> str:
    return " ".join((done.stdout + done.stderr).split())


def test_a_live_verdict_is_status_0_and_all_is_told(server, video):
    server.script = [reply(), reply(), passed("TURN_LEFT", 1), reply("BLINK", challenges_remaining=1), completed(True)]
    done = replay(video, "--url", server.url, "--fps", 20, "--challenges", 2, "--timeout", 9)
    assert done.returncode == 0, words(done)
    assert server.created == [{"num_challenges": "2", "timeout_seconds": "9.0", "sequence": "required"}]
    for said in ("→ Turn your head to the left", "✓ Turn your head to the left (0.92)", "✓ Blink your eyes", "✓ Live"):
        assert said in words(done)
    assert len(server.frames) == 5
    assert all(frame.startswith(b"\xff\xd8") for frame in server.frames)
    assert server.cancelled == []


def test_challenges_that_are_revealed_one_at_a_time_are_told(server, video):
    """The session does not list them: each comes with an answer."""
    smile = {"type": "SMILE", "instruction": "Smile", "timeout_seconds": 5.0}
    server.script = [reply("SMILE") | {"challenge": smile}, passed("SMILE", 0) | completed(True) | {"challenge": smile}]
    done = replay(video, "--url", server.url, "--fps", 20, "--reveal", "next")
    assert done.returncode == 0, words(done)
    assert server.created == [{"reveal": "next", "sequence": "required"}]
    assert "→ Smile" in words(done)


@pytest.mark.parametrize(
    ("last", "said"),
    [
        (completed(live=False), "✗ Not live"),
        (reply(None, state="failed"), "✗ Failed"),
        (reply(None, state="expired"), "✗ Expired"),
    ],
)
def test_any_other_end_is_status_1(server, video, last, said):
    server.script = [reply(), last]
    done = replay(video, "--url", server.url, "--fps", 20)
    assert done.returncode == 1
    assert said in words(done)


def test_frames_come_at_the_rate_asked_for(server, video):
    server.script = [*[reply()] * 8, completed(live=True)]
    began = time.monotonic()
    replay(video, "--url", server.url, "--fps", 5)
    assert time.monotonic() - began >= 8 / 5


def test_a_video_that_is_over_cancels_the_session(server, video):
    done = replay(video, "--once", "--url", server.url, "--fps", 20)
    assert done.returncode == 1
    assert server.cancelled == [SESSION]
    assert "video ended before" in words(done)


def test_a_frame_that_nobody_answered_costs_only_that_frame(server, video):
    busy = [lambda: problem(503, "no_answer_in_time", "No worker answered in time.", Retry_After="0")] * 2
    server.script = [reply(), *busy, completed(live=True)]
    done = replay(video, "--url", server.url, "--fps", 20)
    assert done.returncode == 0
    assert words(done).count("No worker answered in time") == 1, "said once, not with every frame"


def test_a_server_that_is_full_is_asked_again(server, video):
    server.refusals = [lambda: problem(503, "queue_unavailable", "The queue is away.", Retry_After="0")]
    server.script = [completed(live=True)]
    assert replay(video, "--url", server.url).returncode == 0
    assert len(server.created) == 2


def test_a_session_cancelled_elsewhere_ends_it(server, video):
    server.script = [lambda: problem(404, "unknown_session", "There is no such session.")]
    done = replay(video, "--url", server.url)
    assert done.returncode == 1
    assert "cancelled elsewhere" in words(done)


def test_a_server_that_is_not_there_is_status_2_and_a_sentence(video):
    done = replay(video, "--url", "http://127.0.0.1:1")
    assert done.returncode == 2
    assert "No liveness server answers at http://127.0.0.1:1" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments", [[], ["--camera", "0", "--performer"], ["/nowhere.mp4"], ["--performer", "--fps", "0"]], ids=str
)
def test_wrong_usage_is_status_2(arguments):
    done = replay(*arguments)
    assert done.returncode == 2
    assert "Error" in done.stderr


def test_ctrl_c_cancels_the_session_and_is_status_130(server, video):
    process = subprocess.Popen(
        [*COMMAND, str(video), "--url", server.url],
        cwd=TOP,
        stderr=subprocess.PIPE,
        text=True,
        # Whoever runs the tests in a shell's background has them, and all that they start, ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no thread matters to this call
    )
    try:
        until(lambda: server.frames)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 130
    assert server.cancelled == [SESSION]
    assert "Interrupted" in said
    assert "Traceback" not in said


def test_the_launcher_works_from_anywhere(server, video, tmp_path):
    server.script = [completed(live=True)]
    done = subprocess.run(
        [TOP / "ops" / "replay", video.name, "--url", server.url],
        cwd=video.parent,
        env=os.environ | {"PYTHON": sys.executable},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
