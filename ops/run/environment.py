"""Makes .venv and installs locked, hash-checked packages: `python -m ops.run.environment runtime` or `… test`.

This module runs on a bare Python, with the standard library only. Locks that are installed already are skipped, so that a
second start takes no time and needs no network.
"""

from __future__ import annotations

import fcntl
import hashlib
import re
import subprocess
import sys
import time
import venv
from collections import deque
from pathlib import Path

from ops.run.private import make_private
from ops.run.words import MISSING, fail, say

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOG = ROOT / "var" / "log" / "install.log"
#: For each lock, the locks that it contains: installing `test` leaves nothing to do for `runtime`.
INCLUDES = {
    "lab": ["replay"],
    "test": ["runtime", "tracing", "replay", "lab", "docs"],
    "dev": ["test", "runtime", "tracing", "replay", "lab", "docs"],
}


def main(names: list[str]) -> None:
    """Install the named locks into .venv, where they are not installed yet."""
    make_private(ROOT / "var")
    LOG.parent.mkdir(parents=True, exist_ok=True)
    with (ROOT / "var" / "setup.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say("another start is setting this clone up; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        for name in names:
            if stamp(name) != digest(name):
                make_venv()
                install(name)


def make_venv() -> None:
    """Make .venv, with a working pip; an existing one is kept unless it is broken or has an old Python."""
    if PYTHON.exists() and works([str(PYTHON), "-c", "import pip, sys; sys.exit(sys.version_info < (3, 11))"]):
        return
    say(f"environment: .venv with Python {sys.version.split()[0]}")
    try:
        venv.create(VENV, clear=True, with_pip=True, symlinks=True)
    except (OSError, subprocess.CalledProcessError) as error:
        fail(f"The environment .venv cannot be made: {error}", MISSING)


def install(name: str) -> None:
    """Install one lock with pip, showing its progress."""
    lock = ROOT / "requirements" / f"{name}.txt"
    total = len(re.findall(r"^[\w.-]+==", lock.read_text(), re.MULTILINE))
    say(f"packages: {total} from requirements/{name}.txt, each checked by its hash")
    began = time.monotonic()
    command = [str(PYTHON), "-m", "pip", "install", "--require-hashes", "--only-binary", ":all:"]
    command += ["--no-input", "--progress-bar", "off", "--disable-pip-version-check", "-r", str(lock)]
    last: deque[str] = deque(maxlen=12)
    with LOG.open("w") as log, Progress(total) as progress:
        pip = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT)
        assert pip.stdout is not None
        for line in pip.stdout:
            log.write(line)
            last.append(line.rstrip())
            progress.read(line)
        status = pip.wait()
    if status:
        print("\n".join(last), file=sys.stderr)
        fail(f"pip could not install the packages (its output: {LOG.relative_to(ROOT)}). {reason(last)}", MISSING)
    say(f"packages: installed in {time.monotonic() - began:.0f} s")
    for done in [name, *INCLUDES.get(name, [])]:
        (VENV / f".lock-{done}").write_text(digest(done))


def reason(lines: deque[str]) -> str:
    """What to do about pip's failure, judged by the last lines of its output."""
    text = "\n".join(lines)
    if "HASHES" in text or "hash" in text.lower():
        return "A package is not the one that was locked; do not use it."
    if "No matching distribution" in text:
        return f"There is no wheel for Python {sys.version.split()[0]} on this machine, or the index cannot be reached."
    return "Check the network, and that the disk has room."


class Progress:
    """A line that shows pip's progress: rewritten in place on a terminal, printed every few seconds elsewhere."""

    def __init__(self, total: int) -> None:
        self.total, self.done, self.shown = total, 0, 0.0
        self.live = sys.stdout.isatty()

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self.live:
            print("\r\033[K", end="", flush=True)

    def read(self, line: str) -> None:
        """Follow one line of pip's output."""
        words = line.split()
        if line.startswith(("Collecting ", "Processing ", "Ignoring ", "Requirement already satisfied: ")):
            self.done = min(self.done + 1, self.total)
            name = words[3] if words[0] == "Requirement" else words[1].rstrip(":")
            self.show(name.rsplit("/", 1)[-1])
        elif words[:1] == ["Downloading"] and self.live and "(" in line:
            self.show(f"{words[1].rsplit('/', 1)[-1].split('-')[0]} {line[line.rindex('(') :].strip()}")
        elif line.startswith("Installing collected"):
            self.show("unpacking …", always=True)

    def show(self, what: str, *, always: bool = False) -> None:
        """Print the line, if one is due."""
        if self.live:
            bar = "█" * (24 * self.done // self.total)
            print(f"\r\033[K  {bar:░<24} {self.done}/{self.total}  {what}"[:110], end="", flush=True)
        elif always or time.monotonic() - self.shown > 5:
            self.shown = time.monotonic()
            print(f"  {self.done}/{self.total}  {what}", flush=True)


def digest(name: str) -> str:
    """The stamp that a lock should have: the hash of its content and of .venv's path, since a moved .venv does not work."""
    content = (ROOT / "requirements" / f"{name}.txt").read_bytes()
    return hashlib.sha256(content + str(VENV).encode()).hexdigest()


def stamp(name: str) -> str | None:
    """The stamp of the lock's latest complete installation; None if there is none."""
    path = VENV / f".lock-{name}"
    return path.read_text() if path.exists() and PYTHON.exists() else None


def works(command: list[str]) -> bool:
    """Whether a command can be run and exits with 0."""
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)
