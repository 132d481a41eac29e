"""Shows the progress of a run: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

#: Seconds between two lines if there is no terminal.
NOW_AND_THEN = 20.0


class Steps:
    """A number of steps to do."""

    def __init__(self, console: Console, total: int) -> None:
        self._console = console
        self._progress = Progress(
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.description}"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task("", total=total)
        self._total, self._done, self._told = total, 0, time.monotonic()

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def done(self, what: str) -> None:
        """Count one more step."""
        self._done += 1
        self._progress.update(self._task, advance=1, description=what)
        if not self._console.is_terminal and time.monotonic() - self._told > NOW_AND_THEN:
            self._told = time.monotonic()
            self._console.print(f"{self._done}/{self._total}  {what}", highlight=False)
