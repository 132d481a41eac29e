"""The command line of `ops/bench`."""

from __future__ import annotations

import click

from ops.benching.vision import vision


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def bench() -> None:
    """Measure how fast it is, by part. Nothing else should keep the machine busy meanwhile.

    Every part says what it measured, on what machine and with which revision, and writes it into --report.
    """


bench.add_command(vision)

if __name__ == "__main__":
    bench()
