"""What the set-up says, and how it ends. Runs on a bare Python."""

from __future__ import annotations

import sys
from typing import NoReturn

#: Exit statuses. 1 is any other failure, 2 a wrong argument.
SECOND_START, PORT_TAKEN, MISSING = 3, 4, 5


def say(text: str) -> None:
    """A step."""
    print(f"· {text}", flush=True)


def fail(text: str, status: int = 1) -> NoReturn:
    """End with one sentence."""
    sys.stdout.flush()
    print(f"✗ {text}", file=sys.stderr, flush=True)
    sys.exit(status)
