"""The report of a part: figures as JSON, tables as Markdown, plots as SVG."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table as Printed

from ops.lab.bench.machine import about

#: The option --report, which every part has.
report_option = click.option(
    "--report",
    type=click.Path(file_okay=False, resolve_path=True, path_type=Path),
    default="var/bench",
    show_default=True,
    help="Where the report goes.",
)


@dataclass(frozen=True, slots=True)
class Table:
    """A table of words and numbers; numbers are shown with three significant digits."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]

    def markdown(self) -> str:
        """The table as Markdown."""
        lines = [self.columns, ["---"] + ["---:"] * (len(self.columns) - 1), *(map(shown, row) for row in self.rows)]
        return f"### {self.title}\n\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines)

    def printed(self) -> Printed:
        """The table for a terminal."""
        table = Printed(title=self.title, title_justify="left")
        for i, column in enumerate(self.columns):
            table.add_column(column, justify="right" if i else "left")
        for row in self.rows:
            table.add_row(*map(shown, row))
        return table


def shown(value: Any) -> str:
    """The text of a cell: a dash for None, three significant digits for a number."""
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}" if abs(value) >= 1 else f"{value:.2f}"
    return str(value)


def write(
    console: Console,
    directory: Path,
    part: str,
    *,
    tables: Sequence[Table],
    plots: Mapping[str, str],
    figures: Mapping[str, Any],
) -> None:
    """Write a part's report, and show its tables. plots: SVG by name. figures: whatever JSON can hold."""
    directory.mkdir(parents=True, exist_ok=True)
    told = about()
    (directory / f"{part}.json").write_text(json.dumps({"about": told, **figures}, indent=1), encoding="utf-8")
    for name, svg in plots.items():
        (directory / f"{part}-{name}.svg").write_text(svg, encoding="utf-8")
    where = ", ".join(f"{key} {value}" for key, value in told.items())
    text = f"## {part}\n\n{where}\n\n" + "\n".join(table.markdown() for table in tables)
    text += "".join(f"\n![{name}]({part}-{name}.svg)\n" for name in plots)
    (directory / f"{part}.md").write_text(text, encoding="utf-8")
    for table in tables:
        console.print(table.printed())
    console.print(f"✓ {directory / f'{part}.md'}", highlight=False, soft_wrap=True)
