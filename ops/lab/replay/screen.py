"""The terminal's display: progress, the instruction, passed challenges, the present hint."""

from __future__ import annotations

from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from liveness_client import Outcome, Reply, Session

_ENDINGS = {
    "failed": "✗ Failed: a challenge was not met in time.",
    "expired": "✗ Expired: the session outlived its time.",
    "cancelled": "✗ The video ended before the session did; the session is cancelled.",
    "unknown": "✗ The server does not know the session any more: it was cancelled elsewhere.",
}


class Screen:
    """A Listener that draws with rich: a bar on a terminal, plain lines elsewhere."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            SpinnerColumn(),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("[bold]{task.description}[/bold]"),
            TextColumn("{task.fields[hint]}", style="yellow"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._session: Session | None = None
        self._task: TaskID | None = None
        self._asked: str | None = None
        self._trouble: str | None = None

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def opened(self, session: Session) -> None:
        """See Listener."""
        self._session = session
        self._console.print(f"Session {session.id}", style="dim", highlight=False)
        self._task = self._progress.add_task("", total=len(session.challenges), hint="")

    def replied(self, reply: Reply) -> None:
        """See Listener."""
        if self._session is None or self._task is None:
            return
        self._trouble = None
        told = reply.challenge.instruction if reply.challenge else self._session.instruction(reply.challenge_type)
        text = told or reply.challenge_type
        if text and reply.challenge_type != self._asked:
            self._asked = reply.challenge_type
            if not self._console.is_terminal:
                self._console.print(f"→ {text}", highlight=False)
        if reply.passed:
            # The same challenge may come again later in the session.
            self._asked = None
            self._console.print(f"[green]✓[/green] {text} ({reply.confidence:.2f})", highlight=False)
        # Servers that reveal challenges one by one add to the list as they go.
        total = max(len(self._session.challenges), reply.challenges_remaining)
        self._progress.update(
            self._task,
            total=total,
            completed=total - reply.challenges_remaining,
            description=text or "",
            hint="" if reply.passed else reply.hint or "",
        )

    def troubled(self, sentence: str) -> None:
        """See Listener."""
        if sentence != self._trouble:  # once, not for every frame
            self._trouble = sentence
            self._console.print(f"! {sentence}", style="yellow", highlight=False)

    def ended(self, outcome: Outcome) -> None:
        """The verdict."""
        self._progress.stop()
        if outcome.live:
            self._console.print("✓ Live: all challenges passed.", style="bold green")
        elif outcome.state == "completed":
            self._console.print("✗ Not live: the challenges passed, the verdict is no.", style="bold red")
        else:
            self._console.print(_ENDINGS.get(outcome.state, f"✗ Ended: {outcome.state}."), style="bold red")
