"""The virtual environment of the peer: MediaPipe needs packages that the service does not."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import venv
from pathlib import Path

import click

from ops.lab.bench.machine import TOP

LOCK = TOP / "requirements" / "peer.txt"
HERE = TOP / "var" / "peer"
#: MediaPipe 0.10.14 has wheels for these only.
PYTHONS = ((3, 9), (3, 12))


def python() -> Path:
    """The Python of the peer's environment, which is made at the first call (about 1 GB). Raises ClickException."""
    there, stamp = HERE / "bin" / "python", HERE / ".lock"
    digest = hashlib.sha256(LOCK.read_bytes() + str(HERE).encode()).hexdigest()
    if stamp.exists() and stamp.read_text() == digest:
        return there
    if not PYTHONS[0] <= sys.version_info[:2] <= PYTHONS[1]:
        raise click.ClickException("MediaPipe 0.10.14 has wheels for Python 3.9 to 3.12 only; try --no-peer.")
    click.echo(f"bench: MediaPipe and a server around it, from requirements/{LOCK.name}, into {HERE.relative_to(TOP)}")
    venv.create(HERE, clear=True, with_pip=True, symlinks=True)
    command = [str(there), "-m", "pip", "install", "--quiet", "--require-hashes", "--only-binary", ":all:"]
    command += ["--no-input", "--disable-pip-version-check", "-r", str(LOCK)]
    if subprocess.run(command, check=False).returncode:
        raise click.ClickException(
            "pip could not install the others' packages: is the network there? Or try --no-peer."
        )
    stamp.write_text(digest)
    return there
