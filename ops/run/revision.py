"""Which code this is, for what a report or a measurement says about itself."""

from __future__ import annotations

import subprocess
from pathlib import Path

_TOP = Path(__file__).resolve().parents[2]


def revision() -> str:
    """As git names it; "+" at its end when files were changed since; "unknown" where there is no git."""
    try:
        told = subprocess.run(
            ["git", "describe", "--always", "--dirty=+"], cwd=_TOP, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return told.stdout.strip()
