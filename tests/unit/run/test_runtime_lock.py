"""The lock that the service runs on holds all that it loads: the tests' environment has more, and would hide what lacks."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[3]

#: Hides the modules that are named on the command line, then runs each program that stands there; prints why it cannot.
WITHOUT = """
import json, sys, traceback

class Hidden:
    names = set(sys.argv[2].split(","))

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Hidden())
faults = {}
for name, program in json.loads(sys.argv[1]).items():
    try:
        exec(program)
    except Exception:
        faults[name] = traceback.format_exc()
print(json.dumps(faults))
"""

PROGRAMS = {
    "web": "import api, gunicorn.app.wsgiapp",
    "worker": "import workers.frames, workers.vision.pipeline, dramatiq.cli",
    "worker_identity": "import workers.identity, workers.vision.descriptor",
    "clock": "import workers.clock",
    "events": "import workers.events.__main__",
    "release": "import alembic.config, shared.db, psycopg",
    "ops/up": "import ops.run.up, ops.run.models",
    # What libraries import only when they are used.
    "events over Redis": "import kombu; kombu.Connection('redis://localhost/0').get_transport_cls()",
    "events over RabbitMQ": "import kombu; kombu.Connection('amqp://localhost').get_transport_cls()",
    "the queue": "import dramatiq.brokers.rabbitmq, dramatiq.brokers.redis",
}


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def not_locked() -> list[str]:
    """Modules that are installed here and would not be where only requirements/runtime.txt is."""
    text = (TOP / "requirements/runtime.txt").read_text()
    locked = {plain(name) for name in re.findall(r"^([\w.-]+)==", text, re.MULTILINE)} | {"pip", "setuptools"}
    return [
        module
        for module, names in packages_distributions().items()
        if not {plain(name) for name in names} & locked and module not in sys.builtin_module_names
    ]


@pytest.fixture(scope="module")
def faults() -> dict[str, str]:
    """The tracebacks of the programs that do not run. One process runs them all: what one has imported was not hidden."""
    hidden = not_locked()
    assert "pytest" in hidden
    assert "flask" not in hidden
    command = [sys.executable, "-c", WITHOUT, json.dumps(PROGRAMS), ",".join(hidden)]
    ended = subprocess.run(command, cwd=TOP, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    found: dict[str, str] = json.loads(ended.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_runs_on_what_is_in_the_runtime_lock(program, faults):
    """Whatever else it finds here, it can do without."""
    assert faults.get(program) is None
