"""The command line of `ops/evaluate`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click
from rich.console import Console

from ops.lab.evaluate.clients import CLIENTS, STEADY
from ops.lab.evaluate.filming import AS_RECORDED, FILMINGS
from ops.lab.evaluate.fitting.earlier import FittingError, read_earlier
from ops.lab.evaluate.job import Setup
from ops.lab.evaluate.manifest import ManifestError, load_manifest
from shared.evidence_model import EvidenceModel, ModelError, read_model, with_curve
from shared.liveness.evidence import FITTED, Weighing
from shared.weights_file import WeightsError, read_weights

#: Exit statuses; click also exits with 2 on a wrong argument.
UNUSABLE, INTERRUPTED = 2, 130
PARTS = ("gestures", "bona_fide", "attacks")
#: For --only: nothing is played, and weights are fitted over earlier runs alone.
NONE = "none"
_TOP = Path(__file__).resolve().parents[3]
_FILE = click.Path(exists=True, dir_okay=False, resolve_path=True, path_type=Path)
_NEW_FILE = click.Path(dir_okay=False, writable=True, resolve_path=True, path_type=Path)
_DIRECTORY = click.Path(file_okay=False, resolve_path=True, path_type=Path)


class Names(click.ParamType):
    """An option's type: words, separated by commas."""

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
    """An option's type: frame rates, separated by commas."""

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
@click.option("--root", type=_DIRECTORY, help="The root of the manifest's paths; else its directory.")
@click.option("--engine", type=click.Choice(["mesh", "dlib", "both"]), default="mesh", show_default=True)
@click.option("--fps", type=Rates(), default="8", show_default=True, help="Frames a second of the gestures.")
@click.option("--session-fps", type=Rates(), help="The same of sessions and attacks; else the first of --fps.")
@click.option("--only", type=Names((*PARTS, NONE)), default=",".join(PARTS), show_default=True, help="Parts, or none.")
@click.option("--species", type=Names(), default="", help="Only these species of attack, separated by commas.")
@click.option("--people", type=Names(), default="", help="Only these people, separated by commas.")
@click.option("--report", type=_DIRECTORY, default="var/evaluation", show_default=True, help="The report's directory.")
@click.option("--rounds", type=click.IntRange(1, 20), default=1, show_default=True, help="Draws for each session.")
@click.option("--timeout", type=click.FloatRange(1, 60), default=5.0, show_default=True, help="Seconds a challenge.")
@click.option("--processes", type=click.IntRange(1, 16), default=1, show_default=True)
@click.option("--identity/--no-identity", default=True, show_default=True, help="Compare faces in whole sessions.")
@click.option("--filmed", type=click.Choice(FILMINGS), default=AS_RECORDED, show_default=True, help="Another camera.")
@click.option("--client", type=click.Choice([*CLIENTS]), default=STEADY, show_default=True, help="How frames are sent.")
@click.option("--seed", type=int, default=7, show_default=True, help="The seed of all draws and noise.")
@click.option("--weights", type=_FILE, help="The weights of the verdicts; else the service's own.")
@click.option("--model", type=_FILE, help="A model of your own, as EVIDENCE_MODEL (docs/models.md).")
@click.option("--fit", type=_NEW_FILE, help="Fit weights over the sessions, into this file: JSON, or a module (.py).")
@click.option("--with", "earlier", type=_FILE, multiple=True, help="results.json of an earlier run, for the fit.")
@click.option("--leave-people-out", is_flag=True, help="Judge each person by weights that are fitted without them.")
@click.option("--models", type=_DIRECTORY, help="The models' directory; else MODELS_DIR, else var/models.")
def evaluate(
    *,
    manifest: Path,
    root: Path | None,
    engine: str,
    fps: list[float],
    session_fps: list[float] | None,
    only: list[str],
    species: list[str],
    people: list[str],
    report: Path,
    rounds: int,
    timeout: float,
    processes: int,
    identity: bool,
    filmed: str,
    client: str,
    seed: int,
    weights: Path | None,
    model: Path | None,
    fit: Path | None,
    earlier: tuple[Path, ...],
    leave_people_out: bool,
    models: Path | None,
) -> None:
    """Play the recordings that MANIFEST names, and attacks made from them, through the service's vision and judges.

    No server and no waiting: time is the recordings'. Writes report.html, results.json and the plots. The format of
    MANIFEST, and how to make one of your own people, is in docs/evaluation.md.
    """
    console, errors = Console(), Console(stderr=True)
    try:
        parts = _parts(only, fit, earlier, leave_people_out=leave_people_out)
        if parts and report / "results.json" in earlier:
            raise FittingError(f"{report / 'results.json'} would be overwritten: name another folder by --report.")
        known = load_manifest(manifest, root, people)
        weighing = _weighing(weights, _model(model))
        sessions = read_earlier(earlier)
        # Imported late: vision takes seconds, and wrong arguments should be told at once.
        from ops.lab.evaluate.fitting.running import Fitting
        from ops.lab.evaluate.plan import Wanted
        from ops.lab.evaluate.presets import PRESETS
        from ops.lab.evaluate.run import run

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
            client=client,
            weighing=weighing,
            model=model,
        )
        engines = ["mesh", "dlib"] if engine == "both" else [engine]
        wanted = Wanted(parts, engines, fps, session_fps or fps[:1], species)
        fitting = Fitting(fit, sessions, leave_people_out)
        written = run(console, known, setup, wanted, processes=processes, report=report, fitting=fitting)
    except (ManifestError, FittingError, WeightsError, ModelError) as error:
        errors.print(f"✗ {error}", highlight=False, soft_wrap=True, markup=False)
        sys.exit(UNUSABLE)
    except KeyboardInterrupt:
        errors.print("✗ Interrupted; what was not finished was not written.")
        sys.exit(INTERRUPTED)
    console.print(f"✓ {written}", highlight=False, soft_wrap=True)


def _parts(only: list[str], fit: Path | None, earlier: tuple[Path, ...], *, leave_people_out: bool) -> list[str]:
    """The parts to be played. Raises FittingError if the options of a fit contradict each other."""
    if NONE in only and (len(only) > 1 or fit is None or not earlier):
        raise FittingError("--only none plays nothing: it stands alone, and needs --fit and --with.")
    if earlier and fit is None and not leave_people_out:
        raise FittingError("--with names runs to be fitted over: it needs --fit or --leave-people-out.")
    if fit is not None and not fit.parent.is_dir():
        raise FittingError(f"There is no folder {fit.parent} for {fit.name}.")
    return [part for part in only if part != NONE]


def _model(path: Path | None) -> EvidenceModel | None:
    """The description of the operator's own model. Raises ModelError with the file's name."""
    if path is None:
        return None
    try:
        return read_model(path)
    except ModelError as error:
        raise ModelError(f"{path} {error}") from error


def _weighing(path: Path | None, model: EvidenceModel | None = None) -> Weighing:
    """The weights of a file, or those of the service, as `Settings.weighing`. Raises WeightsError with the file's name."""
    if path is None:
        return with_curve(FITTED, model)
    try:
        return with_curve(read_weights(path), model)
    except WeightsError as error:
        raise WeightsError(f"{path} {error}") from error


if __name__ == "__main__":
    evaluate()
