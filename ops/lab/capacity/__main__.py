"""The command line of `ops/capacity`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console

from ops.lab.bench import charts
from ops.lab.bench.report import Table
from ops.lab.capacity import model, page
from ops.lab.capacity.measured import MEASURED, Measured
from ops.lab.rig import ROOT


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Compute what a number of sessions needs, by a model of measured service times: docs/capacity.md."""


@main.command()
@click.option("--to", type=click.Path(dir_okay=False, path_type=Path), default=MEASURED, help="The file to write.")
def measure(to: Path) -> None:
    """Measure the service times on this machine (about three minutes; nothing else should keep it busy)."""
    from ops.lab.bench.machine import about
    from ops.lab.capacity.measure import measure as measure_stack
    from ops.lab.capacity.measure import vision_times
    from ops.lab.rig.clips import Clips
    from ops.lab.rig.stack import Backing

    clips = Clips(ROOT / "var" / "models", takes=1)
    told = about()
    here = {"command": "ops/capacity measure", "date": datetime.now(UTC).date().isoformat()}
    here |= {name.replace(" ", "_"): told[name] for name in ("revision", "machine", "load before")}
    values = {str(kind): measure_stack(kind, clips) for kind in Backing}
    Measured.write(here, values, vision_times(clips), to)
    click.echo(f"✓ {to}")


@main.command()
@click.option("--write", is_flag=True, help="Write tables and plot into docs/capacity.md.")
def tables(write: bool) -> None:
    """Show the tables of docs/capacity.md."""
    measured = Measured.read()
    made = list(model.tables(measured))
    console = Console()
    for table in made:
        console.print(table.printed())
    if write:
        curve = list(model.load_curve(measured))
        series = {f"p{q}": [(100 * load, 1e3 * o.quantile(q / 100)) for load, _, o in curve] for q in (50, 99)}
        plot = charts.lines("Latency by load, simulated", "load of the workers, %", "milliseconds", series)
        page.PLOT.write_text(plot, encoding="utf-8")
        page.put(page.text_of(made))
        console.print(f"✓ {page.PAGE}", highlight=False, soft_wrap=True)


@main.command()
@click.option("--sessions", type=click.IntRange(1, 20_000), default=50, show_default=True, help="Concurrent sessions.")
@click.option("--workers", type=click.IntRange(1), default=4, show_default=True, help="Worker processes, a core each.")
@click.option("--webs", type=click.IntRange(1), default=1, show_default=True, help="Web processes, a core each.")
@click.option("--writers", type=click.IntRange(0), default=2, show_default=True, help="PostgreSQL's cores; 0: SQLite.")
@click.option("--seed", default=0, show_default=True, help="Equal seeds give equal outcomes.")
def simulate(sessions: int, workers: int, webs: int, writers: int, seed: int) -> None:
    """Simulate a number of sessions and processes: latency, and the share of refused frames."""
    what = model.service(Measured.read(), workers, webs=webs, writers=writers)
    outcome = model.run(what, sessions, seed=seed)
    row = ["simulated", 1e3 * outcome.quantile(0.5), 1e3 * outcome.quantile(0.99), outcome.refused_share]
    Console().print(Table(f"{sessions} sessions", ["", "p50 ms", "p99 ms", "refused"], [row]).printed())


if __name__ == "__main__":
    main()
