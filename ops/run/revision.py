"""The revision of this code, for reports and measurements."""

from __future__ import annotations

import subprocess
from pathlib import Path

_TOP = Path(__file__).resolve().parents[2]


def revision() -> str:
    """The name that `git describe` gives, with "+" if files have changed since; "unknown" without git."""
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--dirty=+"], cwd=_TOP, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.strip()
