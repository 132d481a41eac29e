"""Messages and exit statuses of the set-up. Runs on a bare Python."""

from __future__ import annotations

import sys
from typing import NoReturn

#: Exit statuses; 1 means any other failure, 2 a wrong argument.
SECOND_START, PORT_TAKEN, MISSING = 3, 4, 5


def say(text: str) -> None:
    """Print what is being done."""
    print(f"· {text}", flush=True)


def fail(text: str, status: int = 1) -> NoReturn:
    """End this process with one sentence on standard error."""
    sys.stdout.flush()
    print(f"✗ {text}", file=sys.stderr, flush=True)
    sys.exit(status)
