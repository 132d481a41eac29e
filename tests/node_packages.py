"""Node, npm and their packages for tests: installed once for each lock, below var/, and put together into projects.

`python -m tests.node_packages` installs them beforehand. A machine without Node means skipped tests, which say so; with
CI=true it is an error.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import tarfile
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
#: What is installed, with its lock: exact versions and hashes, and no address.
WANTED = ROOT / "tests" / "node"
INSTALLED = ROOT / "var" / "node"
CLIENT = ROOT / "api" / "clients" / "browser"
#: Seconds for a command; an installation loads 80 MB.
PATIENCE = 240


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    """What a command writes to standard output; an error with all that it wrote if it fails."""
    done = subprocess.run(
        command, cwd=cwd, env=os.environ | environment, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, f"{command}: {done.stdout}\n{done.stderr}"
    return done.stdout


@cache
def require_node() -> Path:
    """The folder with the packages; without Node the test is skipped, or fails in CI."""
    import pytest  # not at the top: .ci/run installs the packages while it still waits for Python's

    if not (shutil.which("node") and shutil.which("npm")):
        reason = "no Node.js with npm (Debian: apt install nodejs npm)"
        if os.environ.get("CI"):
            pytest.fail(f"{reason}; in CI it must be", pytrace=False)
        pytest.skip(reason)
    return install()


def install() -> Path:
    """Install the packages where they are not installed yet; returns their folder."""
    lock = WANTED / "package-lock.json"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    INSTALLED.mkdir(parents=True, exist_ok=True)
    with (INSTALLED / "setup.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # processes of pytest-xdist come at the same time
        stamp = INSTALLED / "stamp"
        if not stamp.exists() or stamp.read_text() != digest:
            shutil.copytree(WANTED, INSTALLED, dirs_exist_ok=True)
            run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", cwd=INSTALLED)
            stamp.write_text(digest)
    return INSTALLED


def packed(folder: Path) -> Path:
    """The archive that `npm publish` would send of the browser client, made in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    (made,) = json.loads(run("npm", "pack", "--json", "--pack-destination", folder, cwd=CLIENT))
    return folder / made["filename"]


def project(folder: Path, archive: Path, *, react: int = 19) -> Path:
    """A folder in which programs find the packages, the browser client's archive among them."""
    installed = require_node() / "node_modules"
    modules = folder / "node_modules"
    modules.mkdir(parents=True)
    for package in installed.iterdir():
        if not package.name.startswith("@types") and package.name != "liveness-tests-react18":
            (modules / package.name).symlink_to(package)
    own = require_node() / "react18" / "node_modules" if react == 18 else installed
    for name in ("react", "react-dom"):
        (modules / name).unlink()
        (modules / name).symlink_to(own / name)
    shutil.copytree(own / "@types", modules / "@types", symlinks=True)
    for package in (installed / "@types").iterdir():
        if not (modules / "@types" / package.name).exists():
            (modules / "@types" / package.name).symlink_to(package)
    with tarfile.open(archive) as tar:
        # Python 3.11 has filters from its fourth release on, and 3.12 asks for one.
        filters: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
        tar.extractall(folder / "archive", **filters)
    (folder / "archive" / "package").rename(modules / "liveness-check")
    (folder / "package.json").write_text('{"private": true, "type": "module"}')
    return folder


if __name__ == "__main__":
    install()
