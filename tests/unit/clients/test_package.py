"""`pip install ./api/clients/python` is all that a program needs to use the Python client."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import time
import venv
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from shared.webhooks import new_secret
from tests.documented_server import Server, completed, passed, reply
from tests.unit.clients.test_verdicts import ISSUER, Key

PACKAGE = Path("api/clients/python").resolve()

#: What a stranger's program does, and where its client came from.
PROGRAM = """
import json, sys
from importlib.resources import files

import liveness_client
from liveness_client import Client, InvalidVerdict, verify_verdict, verify_webhook

url, webhook, verdict = sys.argv[1], json.loads(sys.argv[2]), json.loads(sys.argv[3])
with Client(url) as client:
    outcome = client.check(lambda seconds: b"a picture", challenges=2, rate=50)
event = verify_webhook(webhook["body"], webhook["headers"], webhook["secret"])
said = verify_verdict(verdict["signed"], verdict["keys"], issuer=verdict["issuer"], session_id="s-1")
try:
    verify_verdict(verdict["signed"], verdict["keys"], issuer="another")
except InvalidVerdict as error:
    reason = error.reason
print(json.dumps({
    "live": outcome.live, "event": event["type"], "verdict": said.is_live, "reason": reason,
    "place": str(files("liveness_client")), "typed": files("liveness_client").joinpath("py.typed").is_file(),
    "foreign": sorted({"cv2", "flask", "standardwebhooks"} & sys.modules.keys()),
}))
"""


def pip(*arguments: str | Path) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]
    subprocess.run(command, check=True, timeout=250)


def called(secret: str) -> dict[str, object]:
    """A webhook's call, signed now."""
    body, now = json.dumps({"type": "liveness.session.completed"}), datetime.now(UTC)
    signature = Webhook(secret).sign("e-1", now, body)
    headers = {"webhook-id": "e-1", "webhook-timestamp": str(int(now.timestamp())), "webhook-signature": signature}
    return {"body": body, "headers": headers, "secret": secret}


@pytest.mark.slow
def test_a_program_in_an_empty_environment_runs_a_session_and_checks_what_it_is_sent(
    server: Server, tmp_path: Path
) -> None:
    server.script = [reply(), passed("TURN_LEFT", 1), reply("BLINK", challenges_remaining=1), completed(live=True)]
    venv.create(tmp_path / "venv", with_pip=False)
    python = tmp_path / "venv" / "bin" / "python"
    pip("--python", python, "install", "--quiet", PACKAGE)
    key, now = Key("one"), time.time()
    verdict = {"signed": key.sign(nbf=now - 60, exp=now + 600), "keys": {"keys": [key.public]}, "issuer": ISSUER}
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    ran = subprocess.run(
        [python, "-W", "error", "-c", PROGRAM, server.url, json.dumps(called(new_secret())), json.dumps(verdict)],
        check=True,
        timeout=60,
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
    )
    said = json.loads(ran.stdout)
    assert Path(said.pop("place")).is_relative_to(tmp_path), "not this repository's folder"
    assert said == {
        "live": True,
        "event": "liveness.session.completed",
        "verdict": True,
        "reason": "other_issuer",
        "typed": True,
        "foreign": [],
    }
    assert len(server.frames) == 4


@pytest.mark.slow
def test_what_would_be_published_holds_the_package_and_nothing_else(tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    pip("install", "--quiet", "--target", tools, "hatchling")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", tmp_path / "dist"],
        check=True,
        timeout=60,
        cwd=PACKAGE,
        env=os.environ | {"PYTHONPATH": str(tools)},
    )
    (wheel,), (source,) = (tmp_path / "dist").glob("*.whl"), (tmp_path / "dist").glob("*.tar.gz")
    modules = {f"liveness_client/{path.name}" for path in (PACKAGE / "liveness_client").glob("*.*")}
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        (metadata,) = (name for name in names if name.endswith(".dist-info/METADATA"))
        described = archive.read(metadata).decode()
    assert {name for name in names if ".dist-info/" not in name} == modules
    assert any(name.endswith("/licenses/LICENSE") for name in names)
    for line in ("License-Expression: Apache-2.0", "Requires-Dist: httpx>=", "Requires-Dist: pyjwt[crypto]>="):
        assert line in described
    with tarfile.open(source) as tar:
        shipped = {name.partition("/")[2] for name in tar.getnames()}
    assert modules | {"pyproject.toml", "README.md", "LICENSE", "PKG-INFO"} <= shipped
    assert {name for name in shipped if not name.startswith("liveness_client/")} <= {
        "pyproject.toml",
        "README.md",
        "LICENSE",
        "PKG-INFO",
        ".gitignore",
    }


def test_the_package_has_the_project_s_licence() -> None:
    assert (PACKAGE / "LICENSE").read_text() == (PACKAGE.parents[2] / "LICENSE").read_text()
