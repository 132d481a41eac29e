"""The command line of `ops/bench`."""

from __future__ import annotations

import click

from ops.lab.bench.check import check
from ops.lab.bench.end_to_end import end_to_end
from ops.lab.bench.growth import growth
from ops.lab.bench.overload import overload
from ops.lab.bench.vision import vision


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def bench() -> None:
    """Measure the speed of the service, by part. Nothing else should keep the machine busy.

    Every part says what it measured, on what machine and with which revision, and writes it into --report.
    """


for part in (vision, end_to_end, growth, overload, check):
    bench.add_command(part)

if __name__ == "__main__":
    bench()
