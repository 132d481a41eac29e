"""What is done otherwise on machines that the tests do not run on: macOS, and Linux on ARM."""

from __future__ import annotations

import platform
import signal
import sys
from pathlib import Path

import pytest

from ops.run import redis_server, supervisor, up
from shared.settings import Settings


@pytest.fixture(params=[("darwin", "arm64"), ("darwin", "x86_64"), ("linux", "aarch64")], ids=" ".join)
def elsewhere(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of another system."""
    system, machine = request.param
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    return str(system)


def test_no_redis_of_another_machine_is_fetched_and_the_remedy_is_named(
    elsewhere: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SystemExit):
        redis_server.program_or_fail(tmp_path / "bin")
    said = capsys.readouterr().err
    assert "brew install redis" in said
    assert "apt install redis-server" in said
    assert not (tmp_path / "bin").exists()


def test_the_environment_of_programs_lets_macos_fork(elsewhere: str) -> None:
    environment = up.child_environment(Settings(_env_file=None))
    assert ("OBJC_DISABLE_INITIALIZE_FORK_SAFETY" in environment) is (elsewhere == "darwin")


def test_only_linux_is_asked_to_end_children_with_their_parent(elsewhere: str) -> None:
    assert (supervisor.dies_with_parent(signal.SIGTERM) is None) is (elsewhere == "darwin")
