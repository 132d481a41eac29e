"""The command line of `ops/evaluate`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click
from rich.console import Console

from ops.evaluating.filming import AS_RECORDED, FILMINGS
from ops.evaluating.manifest import ManifestError, load_manifest

#: Exit statuses. 2 is also what click ends with on a wrong argument.
UNUSABLE, INTERRUPTED = 2, 130
PARTS = ("gestures", "bona_fide", "attacks")
_TOP = Path(__file__).resolve().parents[2]
_FILE = click.Path(exists=True, dir_okay=False, resolve_path=True, path_type=Path)
_DIRECTORY = click.Path(file_okay=False, resolve_path=True, path_type=Path)


class Names(click.ParamType):
    """Words with commas between them."""

    name = "names"

    def __init__(self, known: tuple[str, ...] = ()) -> None:
        self._known = known

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> list[str]:
        """See click.ParamType."""
        names = [name for name in str(value).split(",") if name]
        unknown = [name for name in names if self._known and name not in self._known]
        if unknown:
            self.fail(f"{', '.join(unknown)}: there are {', '.join(self._known)}", param, ctx)
        return names


class Rates(click.ParamType):
    """Frame rates with commas between them."""

    name = "rates"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> list[float]:
        """See click.ParamType."""
        try:
            rates = [float(rate) for rate in str(value).split(",")]
        except ValueError:
            self.fail(f"{value!r} is not a list of numbers, such as 8 or 5,8,10,15", param, ctx)
        if not all(1 <= rate <= 30 for rate in rates):
            self.fail("rates are from 1 to 30 frames a second", param, ctx)
        return list(dict.fromkeys(rates))


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("manifest", type=_FILE)
@click.option("--root", type=_DIRECTORY, help="What the manifest's paths are relative to; else where it lies.")
@click.option("--engine", type=click.Choice(["mesh", "dlib", "both"]), default="mesh", show_default=True)
@click.option("--fps", type=Rates(), default="8", show_default=True, help="Frames a second; sessions have the first.")
@click.option("--only", type=Names(PARTS), default=",".join(PARTS), show_default=True, help="Parts, with commas.")
@click.option("--species", type=Names(), default="", help="Only these species of attack, with commas.")
@click.option("--people", type=Names(), default="", help="Only these people, with commas.")
@click.option("--report", type=_DIRECTORY, default="var/evaluation", show_default=True, help="Where the report goes.")
@click.option("--rounds", type=click.IntRange(1, 20), default=1, show_default=True, help="Draws for each session.")
@click.option("--timeout", type=click.FloatRange(1, 60), default=5.0, show_default=True, help="Seconds a challenge.")
@click.option("--processes", type=click.IntRange(1, 16), default=1, show_default=True)
@click.option("--identity/--no-identity", default=True, show_default=True, help="Compares faces in whole sessions.")
@click.option("--filmed", type=click.Choice(FILMINGS), default=AS_RECORDED, show_default=True, help="Another camera.")
@click.option("--seed", type=int, default=7, show_default=True, help="Another seed, other draws and other noise.")
@click.option("--models", type=_DIRECTORY, help="Where the models are; else MODELS_DIR, else var/models.")
def evaluate(
    *,
    manifest: Path,
    root: Path | None,
    engine: str,
    fps: list[float],
    only: list[str],
    species: list[str],
    people: list[str],
    report: Path,
    rounds: int,
    timeout: float,
    processes: int,
    identity: bool,
    filmed: str,
    seed: int,
    models: Path | None,
) -> None:
    """Play the recordings that MANIFEST names, and attacks made from them, through the service's vision and judges.

    No server and no waiting: time is the recordings'. Writes report.html, results.json and the plots. The format of
    MANIFEST, and how to make one of your own people, is in docs/evaluation.md.
    """
    console, errors = Console(), Console(stderr=True)
    try:
        known = load_manifest(manifest, root, people)
        # Vision takes seconds to import: what is wrong with the arguments is told before.
        from ops.evaluating.presets import PRESETS
        from ops.evaluating.run import Wanted, run
        from ops.evaluating.work import Setup

        setup = Setup(
            manifest=manifest,
            root=root,
            people=tuple(people),
            models=models or _TOP / os.environ.get("MODELS_DIR", "var/models"),
            presets=PRESETS,
            seed=seed,
            timeout=timeout,
            rounds=rounds,
            identity=identity,
            filming=filmed,
        )
        engines = ["mesh", "dlib"] if engine == "both" else [engine]
        written = run(console, known, setup, Wanted(only, engines, fps, species), processes=processes, report=report)
    except ManifestError as error:
        errors.print(f"✗ {error}", highlight=False, soft_wrap=True, markup=False)
        sys.exit(UNUSABLE)
    except KeyboardInterrupt:
        errors.print("✗ Interrupted; nothing was written.")
        sys.exit(INTERRUPTED)
    console.print(f"✓ {written}", highlight=False, soft_wrap=True)


if __name__ == "__main__":
    evaluate()
