"""The command line of `ops/chaos`."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click

from ops.lab.chaos.faults import FAULTS
from ops.lab.chaos.run import Result
from ops.lab.rig import ROOT
from ops.lab.rig.stack import Backing

#: The most violations that are shown for a fault; --out has all of them.
_SENTENCES = 6

_HOSTS_HEAD = "| worker hosts | frames/s | p50 ms | p99 ms | refused | worker CPU ms a frame |\n" + "|---" * 6 + "|"

_BY_NAME = {fault.name: fault for fault in FAULTS}


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Break the service on purpose, under load, and check what it did: docs/faults.md."""
    # So that `with` blocks end processes and unmount disks.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


@main.command("list")
def list_faults() -> None:
    """List the faults."""
    for fault in FAULTS:
        click.echo(f"{fault.name:20} {fault.what}")


@main.command("run")
@click.argument("names", nargs=-1, metavar="[FAULT]...", type=click.Choice(list(_BY_NAME)))
@click.option(
    "--on",
    "kinds",
    type=click.Choice([kind.value for kind in Backing]),
    multiple=True,
    help="Which servers the service runs on; both by default.",
)
@click.option("--clients", default=6, show_default=True, help="Concurrent sessions.")
@click.option("--fps", default=6.0, show_default=True, help="Frames a second of each session.")
@click.option("--times", default=1, show_default=True, help="How often to repeat everything.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="A file for the results, as JSON.")
@click.option(
    "--keep",
    type=click.Path(file_okay=False, path_type=Path),
    help="A directory for the logs of faults that did not hold.",
)
def run_faults(
    *,
    names: Sequence[str],
    kinds: Sequence[str],
    clients: int,
    fps: float,
    times: int,
    out: Path | None,
    keep: Path | None,
) -> None:
    """Inflict the named faults, or all of them. Exits with 1 if anything did not hold."""
    from ops.lab.chaos.run import run
    from ops.lab.rig.clips import Clips

    frames = Clips(ROOT / "var" / "models")
    faults = [_BY_NAME[name] for name in names] or list(FAULTS)
    results: list[Result] = []
    for _ in range(times):
        beneath = [Backing(k) for k in kinds] or list(Backing)
        for result in run(beneath, faults, frames, clients=clients, fps=fps, keep=keep):
            results.append(result)
            _say(result)
    if out:
        out.write_text(json.dumps([_plain(result) for result in results], indent=1) + "\n")
    failed = sum(not result.passed for result in results)
    skipped = sum(bool(result.skipped) for result in results)
    click.echo(f"{len(results) - failed - skipped} held, {failed} did not, {skipped} could not be tried here")
    sys.exit(1 if failed else 0)


@main.command("soak")
@click.option(
    "--on", "kind", type=click.Choice([kind.value for kind in Backing]), default="embedded", show_default=True
)
@click.option("--minutes", default=20.0, show_default=True)
@click.option("--clients", default=8, show_default=True, help="Concurrent sessions.")
@click.option("--fps", default=8.0, show_default=True, help="Frames a second of each session.")
@click.option("--out", default=Path("var/chaos"), type=click.Path(file_okay=False, path_type=Path), show_default=True)
def soak_for(*, kind: str, minutes: float, clients: int, fps: float, out: Path) -> None:
    """Check under ordinary load that memory, connections and keys stay level. Writes a table and a plot."""
    from ops.lab.chaos.soak import plot, soak, table
    from ops.lab.rig.clips import Clips

    result = soak(Backing(kind), Clips(ROOT / "var" / "models"), minutes=minutes, clients=clients, fps=fps)
    out.mkdir(parents=True, exist_ok=True)
    rows = table(result)
    text = "".join(f"| {' | '.join(row)} |\n" for row in (rows[0], ["---"] * len(rows[0]), *rows[1:]))
    (out / f"soak-{kind}.md").write_text(text)
    plot(result, out / f"soak-{kind}.svg")
    click.echo(text)
    _end(result.wrong)


@main.command("hosts")
@click.option("--most", default=3, show_default=True, help="The largest number of worker hosts.")
@click.option("--cpu", default=0.25, show_default=True, help="The share of a processor of each worker host.")
@click.option("--seconds", default=12.0, show_default=True, help="Seconds of each measurement.")
@click.option("--only", type=click.Choice(["throughput", "cut-off"]), help="Only this part; both by default.")
def several_hosts(*, most: int, cpu: float, seconds: float, only: str | None) -> None:
    """Run the service on several hosts (network namespaces), and cut one off and connect it again. Needs root."""
    from ops.lab.chaos.hosts import cut_off, throughput
    from ops.lab.rig.clips import Clips

    frames = Clips(ROOT / "var" / "models")
    if only != "cut-off":
        click.echo(_HOSTS_HEAD)
        for row in throughput(frames, most=most, worker_cpu=cpu, seconds=seconds):
            words = [f"{row.frames_a_second:.1f}", f"{row.p50 * 1000:.0f}", f"{row.p99 * 1000:.0f}"]
            click.echo(f"| {row.hosts} | {' | '.join(words)} | {row.refused} | {row.worker_cpu:.2f} |")
    if only != "throughput":
        wrong, load = cut_off(frames, clients=6, fps=6.0)
        counted = Counter(f"{r.status} {r.code}".strip() for r in load.notes.requests)
        click.echo("a worker host cut off for 15 s: " + ", ".join(f"{n}× {what}" for what, n in counted.items()))
        _end(wrong)


def _end(wrong: Sequence[str]) -> None:
    for sentence in wrong[:_SENTENCES]:
        click.echo(f"✗ {sentence}")
    click.echo("✗ did not hold" if wrong else "✓ held")
    sys.exit(1 if wrong else 0)


def _say(result: Result) -> None:
    mark = "–" if result.skipped else "✓" if result.passed else "✗"
    click.echo(f"{time.strftime('%H:%M:%S')} {mark} {result.kind} {result.fault.name}: ", nl=False)
    if result.skipped:
        click.echo(result.skipped)
        return
    outcomes = ", ".join(f"{count}× {what}" for what, count in (result.outcomes or {}).items())
    verdicts = ", ".join(f"{count} {what}" for what, count in sorted((result.verdicts or {}).items()))
    click.echo(f"{outcomes}; slowest {result.slowest:.2f} s; sessions: {verdicts}")
    for sentence in result.wrong[:_SENTENCES]:
        click.echo(f"    {sentence}")
    if len(result.wrong) > _SENTENCES:
        click.echo(f"    and {len(result.wrong) - _SENTENCES} more")


def _plain(result: Result) -> dict[str, object]:
    return {
        "on": result.kind,
        "fault": result.fault.name,
        "what": result.fault.what,
        "wrong": result.wrong,
        "skipped": result.skipped,
        "requests": result.requests,
        "outcomes": result.outcomes,
        "slowest": round(result.slowest, 3),
        "sessions": result.verdicts,
    }


if __name__ == "__main__":
    main()
