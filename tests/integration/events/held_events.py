"""`python -m workers.events` that stops in the middle: for good, after the broker has taken HOLD_AFTER events.

It then makes a file, HELD, so that whoever kills it knows where it is: the last events have gone and are not marked.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

from workers.events import __main__ as process
from workers.events.publisher import Publisher


class Holding(Publisher):
    """Publishes so many and no more."""

    left = int(os.environ["HOLD_AFTER"])

    def publish(self, event: dict[str, Any]) -> None:
        """See `Publisher.publish`."""
        super().publish(event)
        self.left -= 1
        if not self.left:
            Path(os.environ["HELD"]).touch()
            threading.Event().wait()


if __name__ == "__main__":
    process.Publisher = Holding
    process.main()
