"""What `python -m workers` loads before it forks: packages, once; nothing that belongs to one process."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.performer import require_models
from workers.vision.descriptor import MODEL_FILE

ROOT = Path(__file__).parents[3]

TELL = """
import json, os, sys
from workers.__main__ import load
load()
fds = [os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{fd}")]
print(json.dumps({"threads": len(os.listdir("/proc/self/task")), "sockets": [fd for fd in fds if "socket" in fd],
    "modules": sorted(sys.modules), "maps": open("/proc/self/maps").read()}))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux what a process has")
def test_packages_are_loaded_and_no_thread_no_connection_and_no_model() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    done = subprocess.run(
        [sys.executable, "-c", TELL], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    told = json.loads(done.stdout)
    assert {"cv2", "dlib", "numpy", "sqlalchemy", "redis", "pika", "workers.vision.pipeline"} <= set(told["modules"])
    assert told["threads"] == 1, "a thread does not live on in the processes"
    assert told["sockets"] == []
    assert "workers.main" not in told["modules"], "it reads the settings and makes the broker: each process for itself"
    assert ".tflite" not in told["maps"]


#: Runs all of `python -m workers` but the processes of dramatiq, and tells what is loaded before they are forked.
TELL_BEFORE_FORK = """
import json, sys
from dramatiq import cli
cli.main = lambda arguments: print(json.dumps(sorted(sys.modules))) or 0
sys.argv = ["workers", "-p", "2", "-t", "1", "-Q", "frames"]
from workers.__main__ import main
main()
"""


@pytest.mark.parametrize("url", ["sqlite:///{}/rows.db", "postgresql://nobody@127.0.0.1:1/rows"])
def test_the_driver_of_the_database_in_use_is_loaded_before_the_fork_and_no_other(tmp_path: Path, url: str) -> None:
    modules = set(told(TELL_BEFORE_FORK, DATABASE_URL=url.format(tmp_path)))
    assert "dramatiq.cli" in modules
    assert ("psycopg" in modules) == url.startswith("postgresql")


def test_the_process_that_decodes_loads_little() -> None:
    modules = set(told("import json, sys, workers.vision.decoder_process; print(json.dumps(sorted(sys.modules)))"))
    assert not modules & {"structlog", "asyncio", "shared.settings", "sqlalchemy", "dlib"}


TELL_MEMORY = """
import json, sys
from pathlib import Path
import psutil
from workers.free_memory import return_free_memory
from workers.vision.descriptor import Describer
own = lambda: psutil.Process().memory_info().rss
before = own()
describer = Describer(Path(sys.argv[1]))
loaded = own()
return_free_memory()
print(json.dumps([before, loaded, own()]))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries keep nothing that could be asked for")
def test_what_loading_a_network_has_freed_goes_back_to_the_system() -> None:
    before, loaded, after = told(TELL_MEMORY, str(require_models(MODEL_FILE)))
    assert after - before < 0.6 * (loaded - before)


def told(program: str, *arguments: str, **settings: str) -> list[Any]:
    """What a program writes as JSON."""
    command = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | settings, capture_output=True, text=True, check=True)
    return list(json.loads(done.stdout))
