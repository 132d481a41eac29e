"""What `python -m workers` loads before it forks: packages, once; nothing that belongs to one process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

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
