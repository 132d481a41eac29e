"""The date, revision and machine that a measurement states."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from ops.run.revision import revision

TOP = Path(__file__).resolve().parents[3]
_PACKAGES = ("numpy", "opencv-python-headless", "dlib-bin", "ai-edge-litert")


def about() -> dict[str, str]:
    """The date, the revision and the machine."""
    return {
        "made": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "revision": revision(),
        "machine": f"{os.cpu_count()} × {_processor()}, {platform.system()}",
        "python": platform.python_version(),
        "load before": f"{os.getloadavg()[0]:.1f}",
        **{name: version(name) for name in _PACKAGES},
    }


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:  # not Linux
        pass
    return platform.processor() or platform.machine()
