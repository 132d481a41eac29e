"""What follows a session's end, for tests that look at its rows alone."""

from __future__ import annotations

from collections.abc import Sequence

from shared.db import Ending


def nothing_else(_: Sequence[Ending]) -> None:
    """As `on_end`: nothing follows."""
