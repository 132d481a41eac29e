"""Options of the parts that put a load on a running service."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from ops.lab.bench import frames
from ops.lab.rig.wire import form

#: Seconds of frames that are sent again and again.
PLAYED = 20


def load_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--frames, --cores and --quick."""
    for option in (
        click.option(
            "--frames",
            "source",
            type=click.Path(exists=True, resolve_path=True, path_type=Path),
            help="A recording, or a folder of JPEGs, in place of the drawn performer's frames.",
        ),
        click.option(
            "--cores",
            type=click.IntRange(1),
            default=2,
            show_default=True,
            help="Processors that everything shares, the load too.",
        ),
        click.option("--quick", is_flag=True, help="Less of everything, under a minute: to see that it works."),
    ):
        command = option(command)
    return command


def bodies_of(source: Path | None) -> list[bytes]:
    """The bodies of the frames' requests."""
    return [form(jpeg) for jpeg in frames.moving(PLAYED * frames.RATE, source)]
