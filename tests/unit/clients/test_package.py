"""`pip install ./api/clients/python` is all that a program needs to use the Python client."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.documented_server import Server, completed, passed, reply

PACKAGE = Path("api/clients/python").resolve()

#: What a stranger's program does, and where its client came from.
PROGRAM = """
import sys
from importlib.resources import files

from liveness_client import Client

with Client(sys.argv[1]) as client:
    outcome = client.check(lambda seconds: b"a picture", challenges=2, rate=50)
print(outcome.live, files("liveness_client"), files("liveness_client").joinpath("py.typed").is_file())
"""


@pytest.mark.slow
def test_a_program_in_an_empty_environment_runs_a_session(server: Server, tmp_path: Path) -> None:
    server.script = [reply(), passed("TURN_LEFT", 1), reply("BLINK", challenges_remaining=1), completed(live=True)]
    venv.create(tmp_path / "venv", with_pip=False)
    python = tmp_path / "venv" / "bin" / "python"
    install = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(python),
        "--disable-pip-version-check",
        "install",
        "--quiet",
    ]
    subprocess.run([*install, str(PACKAGE)], check=True, timeout=250, cwd=tmp_path)
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    ran = subprocess.run(
        [python, "-c", PROGRAM, server.url],
        check=True,
        timeout=30,
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
    )
    live, place, typed = ran.stdout.split()
    assert (live, typed) == ("True", "True")
    assert Path(place).is_relative_to(tmp_path), "not this repository's folder"
    assert len(server.frames) == 4
