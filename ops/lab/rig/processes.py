"""Processes that can be killed or paused with everything that they started."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import psutil

from ops.run.supervisor import dies_with_parent

_T = TypeVar("_T")


class Missing(Exception):
    """This machine lacks a program; the message names it."""


class Process:
    """A program in a process group of its own; its output is appended to a file, `log`."""

    def __init__(
        self,
        name: str,
        command: list[str],
        *,
        log: Path,
        environment: Mapping[str, str] | None = None,
        directory: Path | None = None,
        stdin: bytes = b"",
    ) -> None:
        self.name = name
        self.log = log
        self._command = command
        self._environment = dict(os.environ if environment is None else environment)
        self._directory = directory
        self._stdin = stdin
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The id of the first process, and of its group."""
        assert self._process is not None, f"{self.name} was not started"
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the first process is alive."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the program; also again, after it has ended."""
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                self._command,
                env=self._environment,
                cwd=self._directory,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=dies_with_parent(signal.SIGKILL),  # noqa: PLW1509 - one system call
            )
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError), self._process.stdin as pipe:
            pipe.write(self._stdin)

    def family(self) -> list[psutil.Process]:
        """The first process and all its descendants that are alive."""
        if not self.running:
            return []
        with contextlib.suppress(psutil.NoSuchProcess):
            first = psutil.Process(self.pid)
            return [first, *first.children(recursive=True)]
        return []

    def of_each(self, ask: Callable[[psutil.Process], _T]) -> list[_T]:
        """What `ask` returns for each process of the family; processes that have ended meanwhile are left out."""
        answers = []
        for process in self.family():
            with contextlib.suppress(psutil.NoSuchProcess):
                answers.append(ask(process))
        return answers

    @contextmanager
    def hung(self) -> Iterator[None]:
        """Stop the whole family (SIGSTOP) inside the block: connections stay open, and nothing is answered."""
        self.of_each(lambda process: process.send_signal(signal.SIGSTOP))
        try:
            yield
        finally:
            self.of_each(lambda process: process.send_signal(signal.SIGCONT))

    def kill(self) -> None:
        """Kill the whole family with SIGKILL."""
        if self._process is not None:
            family = self.family()
            self._kill_group()
            for process in family:  # those that made groups of their own
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
            self._process.wait()

    def end(self, within: float, number: signal.Signals = signal.SIGTERM) -> bool:
        """Ask the first process to end, as a supervisor does; after `within` seconds, or once it has ended, kill the rest.

        Returns whether the first process ended in time.
        """
        if self._process is None:
            return True
        self._process.send_signal(number)
        try:
            self._process.wait(within)
        except subprocess.TimeoutExpired:
            self.kill()
            return False
        self._kill_group()
        return True

    def log_end(self) -> str:
        """The last 3,000 characters of the log."""
        return self.log.read_text(errors="replace")[-3000:] if self.log.exists() else ""

    def _kill_group(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)


def wait_for(true: Callable[[], object], seconds: float, what: str, pause: float = 0.1) -> None:
    """Return when `true` answers yes. Raises RuntimeError("`what` within … s") after so many seconds."""
    until = time.monotonic() + seconds
    while not true():
        if time.monotonic() > until:
            raise RuntimeError(f"{what} within {seconds:g} s")
        time.sleep(pause)
