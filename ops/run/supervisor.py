"""Runs several programs, shows what they say, brings back those that die, and ends them all.

honcho does the first two; it ends everything when one program ends, and a killed worker must come back. On a platform
the platform does this part.
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

#: Seconds that programs have to end by themselves before they are killed: longer than gunicorn's graceful_timeout.
GRACE = 15.0
#: A program that ran this many seconds was well: the pause before its next start is short again.
WELL = 60.0
#: The longest pause before a program is started again, in seconds.
LONGEST_PAUSE = 30.0
#: Colours of the programs' names on a terminal.
COLOURS = (36, 33, 35, 32, 34, 31)
#: prctl(2): the signal that a child gets when its parent dies.
PR_SET_PDEATHSIG = 1

_printing = threading.Lock()
# Loaded here: a forked child of a process with threads must do as little as possible.
_libc = ctypes.CDLL(None)


@dataclass
class Program:
    """One program, started in a process group of its own so that whatever it starts ends with it."""

    name: str
    command: list[str]
    stdin: bytes = b""
    #: Ends after the others, which need it to end in order.
    goes_last: bool = False
    colour: int = 0
    process: subprocess.Popen[bytes] | None = None
    reader: threading.Thread | None = None
    started_at: float = 0.0
    deaths: int = 0
    start_at: float = field(default=0.0, repr=False)

    @property
    def running(self) -> bool:
        """Whether its first process lives."""
        return self.process is not None and self.process.poll() is None

    def start(self, environment: Mapping[str, str], directory: Path) -> None:
        """Start it, and a thread that shows what it says."""
        self.process = subprocess.Popen(
            self.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            cwd=directory,
            start_new_session=True,  # a Ctrl-C at the terminal reaches only us, and we end them in order
            # Between fork and exec it only makes one system call, so threads do it no harm.
            preexec_fn=dies_with_parent(signal.SIGTERM),  # noqa: PLW1509
        )
        self.started_at = time.monotonic()
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError), self.process.stdin as pipe:
            pipe.write(self.stdin)
        self.reader = threading.Thread(target=self._show, args=(self.process,), daemon=True)
        self.reader.start()

    def ask_to_end(self) -> None:
        """Tell its first process, which tells its own: dramatiq's take a second SIGTERM for "at once"."""
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)

    def sweep(self) -> None:
        """Kill it and all that it started and may have left behind."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        if self.reader is not None:
            self.reader.join(timeout=1)  # its last words are shown before ours

    def how_it_ended(self) -> str:
        """In words."""
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
    """The programs of one start. Used from the main thread only."""

    def __init__(self, environment: Mapping[str, str], directory: Path) -> None:
        self._environment = environment
        self._directory = directory
        self._programs: list[Program] = []
        self.stopping = threading.Event()
        self._hurry = False

    def heed_signals(self) -> None:
        """From now on Ctrl-C, `kill` and a closed terminal end the programs; a second Ctrl-C does at once."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)

    def _on_signal(self, *_: object) -> None:
        self._hurry = self.stopping.is_set()
        self.stopping.set()

    def start(self, name: str, command: list[str], stdin: bytes = b"", *, goes_last: bool = False) -> Program:
        """Start a program and keep it running from now on."""
        program = Program(name, command, stdin, goes_last, COLOURS[len(self._programs) % len(COLOURS)])
        self._programs.append(program)
        program.start(self._environment, self._directory)
        return program

    def dead(self) -> Program | None:
        """A program that does not run, if there is one."""
        return next((p for p in self._programs if not p.running), None)

    def keep_running(self) -> None:
        """Until a signal comes: start anew what ends."""
        while not self.stopping.wait(0.2):
            for program in self._programs:
                if not program.running:
                    self._bring_back(program, time.monotonic())

    def _bring_back(self, program: Program, now: float) -> None:
        if program.start_at == 0.0:
            program.deaths = 1 if now - program.started_at > WELL else program.deaths + 1
            # At once the first time: people are in the middle of their session.
            pause = 0.0 if program.deaths == 1 else min(2.0 ** (program.deaths - 2), LONGEST_PAUSE)
            program.start_at = now + pause
            program.sweep()  # what it left behind would stand in the way of the next one
            say(f"{program.name} {program.how_it_ended()}; starting it again in {pause:.0f} s")
        if now >= program.start_at:
            program.start_at = 0.0
            program.start(self._environment, self._directory)

    def stop(self) -> None:
        """End everything that was started; what does not end in time is killed."""
        for group in ([p for p in self._programs if p.goes_last is last] for last in (False, True)):
            for program in group:
                program.ask_to_end()
            self._wait_for(group)
            for program in group:
                if program.running:
                    say(f"{program.name} does not end by itself and is killed")
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
