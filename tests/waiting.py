"""How tests wait: for what must come about, never for a time in which it should have."""

from __future__ import annotations

import time
from collections.abc import Callable

#: Seconds. Reached only by what never comes: a test must pass on a machine that others keep busy.
PATIENCE = 60.0


def until(true: Callable[[], object], seconds: float = PATIENCE, *, pause: float = 0.01) -> None:
    """Return when it is so. seconds: for what the service itself gives up after a known time."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"it did not come about within {seconds:g} s"
        time.sleep(pause)
