"""Runs several programs, shows their output, restarts those that die, and ends them all.

Used by ops/up; elsewhere the platform does this. honcho ends all programs when one of them ends, and here a killed worker
must come back.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ops.run.words import say

#: Seconds that programs have to end before they are killed: longer than gunicorn's graceful_timeout.
GRACE = 15.0
#: Seconds after which a running program counts as well: its next restart comes without a pause again.
WELL = 60.0
#: The longest pause before a restart, in seconds.
LONGEST_PAUSE = 30.0
#: ANSI colours of the programs' names on a terminal.
COLOURS = (36, 33, 35, 32, 34, 31)
#: prctl(2): the signal that a child gets when its parent dies.
PR_SET_PDEATHSIG = 1

_printing = threading.Lock()
# Loaded at import: between fork and exec, a child of a process with threads must do as little as possible.
_libc = ctypes.CDLL(None)


@dataclass
class Program:
    """One program, in a process group of its own so that its children end with it."""

    name: str
    command: list[str]
    stdin: bytes = b""
    #: Whether this program is ended after the others, which need it until they have ended.
    goes_last: bool = False
    colour: int = 0
    process: subprocess.Popen[bytes] | None = None
    reader: threading.Thread | None = None
    started_at: float = 0.0
    deaths: int = 0
    start_at: float = field(default=0.0, repr=False)

    @property
    def running(self) -> bool:
        """Whether the program's first process is alive."""
        return self.process is not None and self.process.poll() is None

    def start(self, environment: Mapping[str, str], directory: Path) -> None:
        """Start the program, and a thread that shows its output."""
        self.process = subprocess.Popen(
            self.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            cwd=directory,
            start_new_session=True,  # Ctrl-C at the terminal reaches only this process, which ends the programs in order
            # Safe with threads: one system call between fork and exec.
            preexec_fn=dies_with_parent(signal.SIGTERM),  # noqa: PLW1509
        )
        self.started_at = time.monotonic()
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError), self.process.stdin as pipe:
            pipe.write(self.stdin)
        self.reader = threading.Thread(target=self._show, args=(self.process,), daemon=True)
        self.reader.start()

    def ask_to_end(self) -> None:
        """Send SIGTERM to the first process only, which tells its children: for dramatiq's a second one means "at once"."""
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)

    def sweep(self) -> None:
        """Kill the program's whole process group."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        if self.reader is not None:
            self.reader.join(timeout=1)  # so that its last lines are shown first

    def how_it_ended(self) -> str:
        """The program's exit status or signal, in words."""
        status = self.process.returncode if self.process else 0
        if status >= 0:
            return f"ended with status {status}"
        return f"was ended by {signal.Signals(-status).name}"

    def _show(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        name = f"{self.name:<6} │"
        if sys.stdout.isatty():
            name = f"\033[{self.colour}m{name}\033[0m"
        with process.stdout as lines:
            for line in lines:
                with _printing, contextlib.suppress(OSError):
                    print(name, line.decode(errors="replace").rstrip("\n"), flush=True)


class Supervisor:
    """Starts, restarts and ends a set of programs. To be used from the main thread only."""

    def __init__(self, environment: Mapping[str, str], directory: Path) -> None:
        self._environment = environment
        self._directory = directory
        self._programs: list[Program] = []
        self.stopping = threading.Event()
        self._hurry = False

    def handle_signals(self) -> None:
        """Handle SIGINT, SIGTERM and SIGHUP: the first one ends the programs in order, a second one ends them at once."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)

    def _on_signal(self, *_: object) -> None:
        self._hurry = self.stopping.is_set()
        self.stopping.set()

    def start(self, name: str, command: list[str], stdin: bytes = b"", *, goes_last: bool = False) -> Program:
        """Start a program, which `keep_running` then restarts when it dies."""
        program = Program(name, command, stdin, goes_last, COLOURS[len(self._programs) % len(COLOURS)])
        self._programs.append(program)
        program.start(self._environment, self._directory)
        return program

    def dead(self) -> Program | None:
        """One of the programs that do not run; None if all do."""
        return next((p for p in self._programs if not p.running), None)

    def keep_running(self) -> None:
        """Restart programs that end, until a signal comes."""
        while not self.stopping.wait(0.2):
            for program in self._programs:
                if not program.running:
                    self._bring_back(program, time.monotonic())

    def _bring_back(self, program: Program, now: float) -> None:
        if program.start_at == 0.0:
            program.deaths = 1 if now - program.started_at > WELL else program.deaths + 1
            # No pause the first time: people are in the middle of their session.
            pause = 0.0 if program.deaths == 1 else min(2.0 ** (program.deaths - 2), LONGEST_PAUSE)
            program.start_at = now + pause
            program.sweep()  # surviving children would stand in the next one's way
            say(f"{program.name} {program.how_it_ended()}; starting it again in {pause:.0f} s")
        if now >= program.start_at:
            program.start_at = 0.0
            program.start(self._environment, self._directory)

    def stop(self) -> None:
        """End all programs, those that go last after the others; those that do not end in time are killed."""
        for group in ([p for p in self._programs if p.goes_last is last] for last in (False, True)):
            for program in group:
                program.ask_to_end()
            self._wait_for(group)
            for program in group:
                if program.running:
                    say(f"{program.name} did not end in time and is killed")
                program.sweep()

    def _wait_for(self, group: list[Program]) -> None:
        until = time.monotonic() + GRACE
        while any(p.running for p in group) and time.monotonic() < until and not self._hurry:
            time.sleep(0.05)


def dies_with_parent(number: signal.Signals) -> Callable[[], object] | None:
    """For Popen's `preexec_fn`: Linux sends the child this signal when its parent dies, even by SIGKILL."""
    if sys.platform != "linux":
        return None
    return functools.partial(_libc.prctl, PR_SET_PDEATHSIG, number)
