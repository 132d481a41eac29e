"""Processes that can be killed, stopped for a while, and seen to be gone."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import psutil

_T = TypeVar("_T")

#: prctl(2): the signal that a child gets when its parent dies, so that nothing outlives us, whatever becomes of us.
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


class Missing(Exception):
    """A program that this machine does not have; its text says which."""


class Process:
    """A program in a process group of its own, with what it says in a file."""

    def __init__(
        self,
        name: str,
        command: list[str],
        *,
        log: Path,
        environment: Mapping[str, str] | None = None,
        directory: Path | None = None,
    ) -> None:
        self.name = name
        self.log = log
        self._command = command
        self._environment = dict(os.environ if environment is None else environment)
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Of its first process, which is its group's as well."""
        assert self._process is not None, f"{self.name} was not started"
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether its first process lives."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it (again)."""
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                self._command,
                env=self._environment,
                cwd=self._directory,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=_end_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 - one system call
            )

    def family(self) -> list[psutil.Process]:
        """It and all that it started, as far as they live."""
        if not self.running:
            return []
        with contextlib.suppress(psutil.NoSuchProcess):
            first = psutil.Process(self.pid)
            return [first, *first.children(recursive=True)]
        return []

    def of_each(self, ask: Callable[[psutil.Process], _T]) -> list[_T]:
        """What its family answers. Who has ended since it was listed, as PostgreSQL's processes do, is left out."""
        answers = []
        for process in self.family():
            with contextlib.suppress(psutil.NoSuchProcess):
                answers.append(ask(process))
        return answers

    def signal(self, number: signal.Signals) -> None:
        """To its whole group: as a paused machine or container is stopped, or one that lost its power."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    def kill(self) -> None:
        """All of it, with -9, at once."""
        if self._process is not None:
            family = self.family()
            self.signal(signal.SIGKILL)
            for process in family:  # those that made groups of their own
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
            self._process.wait()

    def terminate(self, within: float) -> bool:
        """SIGTERM to its first process, as a supervisor does; whether it ended by itself within so many seconds."""
        if self._process is None:
            return True
        self._process.terminate()
        try:
            self._process.wait(within)
        except subprocess.TimeoutExpired:
            self.kill()
            return False
        self.signal(signal.SIGKILL)  # what it may have left behind
        return True

    def said(self) -> str:
        """The end of its log."""
        return self.log.read_text(errors="replace")[-3000:] if self.log.exists() else ""


def wait_for(true: Callable[[], object], seconds: float, what: str, pause: float = 0.1) -> None:
    """Until it is so; RuntimeError where it does not become so in time."""
    until = time.monotonic() + seconds
    while not true():
        if time.monotonic() > until:
            raise RuntimeError(f"{what} within {seconds:g} s")
        time.sleep(pause)


def _end_with_parent() -> None:
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
