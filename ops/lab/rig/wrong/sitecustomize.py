"""Sets the wall clock of a Python process wrong by as much as a file says; loaded because it is on PYTHONPATH.

libfaketime will not do: it changes sleeping and the times of files as well, and gunicorn dies of it.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

_file = Path(os.environ["CHAOS_CLOCK"])
_time, _time_ns, _steady = time.time, time.time_ns, time.monotonic
#: Seconds between two looks at the file.
_EVERY = 0.2
_known = [0.0, -1.0]  # the seconds in the file, and when they were last read


def _ahead() -> float:
    if _steady() - _known[1] > _EVERY:
        _known[1] = _steady()
        with suppress(OSError, ValueError):
            _known[0] = float(_file.read_text())
    return _known[0]


time.time = lambda: _time() + _ahead()
time.time_ns = lambda: _time_ns() + int(_ahead() * 1e9)
