"""Wall clocks that are set wrong on some hosts; monotonic clocks stay right.

A host is a program and its number: `worker-1` is the second worker, as if it had a machine of its own. Python processes load
`wrong/sitecustomize.py`, servers load `wrong/clock.c`, which needs a C compiler.
"""

from __future__ import annotations

import mmap
import os
import shutil
import struct
import subprocess
from pathlib import Path

#: The directory of sitecustomize.py, which Python loads at its start.
LOADED = Path(__file__).parent / "wrong"
#: The format that wrong/clock.c reads: nanoseconds.
_AHEAD = struct.Struct("q")


class WrongClock:
    """A wall clock for each host; all are right at first."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self._library = self._compiled()

    @property
    def of_servers(self) -> bool:
        """Whether servers can have wrong clocks, too: whether there is a C compiler."""
        return self._library is not None

    def environment(self, name: str, number: int, path: str) -> dict[str, str]:
        """The variables to start a program with on the host of this number. path: the program's PYTHONPATH."""
        file = self._directory / f"{name}-{number}"
        if not file.exists():
            _write(file, 0.0)
        return {"PYTHONPATH": f"{LOADED}:{path}", "CHAOS_CLOCK": str(file)}

    def server_environment(self, name: str) -> dict[str, str]:
        """The variables to start a server with."""
        if self._library is None:
            return {}
        _write_mapped(self._mapped(name), 0.0)
        return {"LD_PRELOAD": str(self._library), "CHAOS_SERVER_CLOCK": str(self._mapped(name))}

    def set(self, name: str, seconds: float, number: int | None = None) -> None:
        """Set a program's clock `seconds` ahead, or behind if negative, on one host or on all of them."""
        for file in self._directory.glob(f"{name}-{'*' if number is None else number}"):
            _write(file, seconds)

    def set_server(self, name: str, seconds: float) -> None:
        """Set a server's clock ahead or behind."""
        _write_mapped(self._mapped(name), seconds)

    def _mapped(self, name: str) -> Path:
        return self._directory / f"server.{name}"

    def _compiled(self) -> Path | None:
        compiler = shutil.which("cc") or shutil.which("gcc")
        if compiler is None:
            return None
        library = self._directory / "clock.so"
        command = [compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(LOADED / "clock.c")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return library if done.returncode == 0 else None


def _write(file: Path, seconds: float) -> None:
    fresh = file.with_suffix(".new")
    fresh.write_text(f"{seconds:.3f}\n")
    fresh.replace(file)


def _write_mapped(file: Path, seconds: float) -> None:
    """Write in place and in one call: processes have mapped this very file."""
    if not file.exists():
        file.write_bytes(bytes(mmap.PAGESIZE))
    descriptor = os.open(file, os.O_WRONLY)
    try:
        os.pwrite(descriptor, _AHEAD.pack(int(seconds * 1e9)), 0)
    finally:
        os.close(descriptor)
