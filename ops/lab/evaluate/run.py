"""A run from its arguments to its report, with a progress bar and a summary at the terminal."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ops.lab.evaluate.about import about
from ops.lab.evaluate.attacks import EVERY_SPECIES
from ops.lab.evaluate.charts import words
from ops.lab.evaluate.fitting.running import NO_FITTING, Fitting, enough, fit_over
from ops.lab.evaluate.footprint import Footprint, footprint
from ops.lab.evaluate.job import Setup
from ops.lab.evaluate.manifest import Manifest, ManifestError
from ops.lab.evaluate.outcome import Outcome
from ops.lab.evaluate.plan import Wanted, do, plan
from ops.lab.evaluate.report import write_report
from ops.lab.evaluate.results import Rate, Results, Verdicts, summarise
from ops.lab.evaluate.signals import Signals
from ops.lab.evaluate.steps import Steps
from ops.run.models import MODELS


def run(
    console: Console,
    manifest: Manifest,
    setup: Setup,
    wanted: Wanted,
    *,
    processes: int,
    report: Path,
    fitting: Fitting = NO_FITTING,
) -> Path:
    """Run an evaluation; returns the path of the report, or of `weights.md` if nothing is played."""
    _check(setup, wanted)
    _check_fitting(manifest, wanted, fitting)
    began = time.monotonic()
    outcomes, signals, footprints = _play(console, manifest, setup, wanted, processes)
    results = summarise(outcomes, signals, footprints)
    information = about(manifest, setup, wanted, seconds=time.monotonic() - began)
    # With nothing played there is nothing to report: an earlier report there must stay.
    written = write_report(report, information, results, signals, outcomes) if wanted.parts else report / "weights.md"
    if fitting.wanted:
        attributes = {p.name: p.about for p in manifest.people if p.about}
        fit_over(console, fitting, outcomes, attributes=attributes, report=report, processes=processes)
    if wanted.parts and fitting.leave_people_out:
        results = summarise(outcomes, signals, footprints)
        written = write_report(report, replace(information, people_left_out=True), results, signals, outcomes)
    _print_summary(console, results)
    return written


def _play(
    console: Console, manifest: Manifest, setup: Setup, wanted: Wanted, processes: int
) -> tuple[list[Outcome], list[Signals], list[Footprint]]:
    """Play all jobs, and measure the engines."""
    jobs = plan(manifest, wanted)
    outcomes: list[Outcome] = []
    signals: list[Signals] = []
    footprints: list[Footprint] = []
    engines = wanted.engines if wanted.parts else []
    with Steps(console, len(jobs) + len(engines)) as steps:
        for engine in engines:
            footprints.append(footprint(manifest, setup.models, engine, wanted.rates[0]))
            steps.done(f"cost {engine}")
        for job, done in do(jobs, setup, processes):
            steps.done(str(job))
            if isinstance(done, Signals):
                signals.append(done)
            else:
                outcomes += done
    # Jobs end in any order; the report must not depend on it.
    signals.sort(key=lambda s: s.path)
    outcomes.sort(key=lambda o: _place(o, setup, wanted))
    return outcomes, signals, footprints


def _place(outcome: Outcome, setup: Setup, wanted: Wanted) -> tuple[object, ...]:
    """The position in the report: engines, rates and presets in the order of the options."""
    return (
        outcome.kind,
        wanted.engines.index(outcome.engine),
        [*wanted.rates, *wanted.session_rates].index(outcome.fps),
        outcome.species,
        outcome.person,
        outcome.detail,
        setup.presets.index(outcome.preset),
        outcome.draw,
    )


def _check(setup: Setup, wanted: Wanted) -> None:
    """Models and species that are not there are told before anything is begun."""
    unknown = set(wanted.species) - set(EVERY_SPECIES)
    if unknown:
        raise ManifestError(f"There is no species {', '.join(unknown)}: there are {', '.join(EVERY_SPECIES)}.")
    if not wanted.parts:
        return
    # The mesh is always needed: cut-outs are cut along its points.
    groups = dict.fromkeys(["mesh", *wanted.engines, *(["identity"] if setup.identity else [])])
    lacking = [p.name for group in groups for p in MODELS[group] if not (setup.models / p.name).is_file()]
    if lacking:
        raise ManifestError(
            f"{setup.models} has no {', '.join(lacking)}; ops/models {' '.join(groups)} brings what is needed."
        )


def _check_fitting(manifest: Manifest, wanted: Wanted, fitting: Fitting) -> None:
    """What cannot be fitted, whatever comes of playing, is told before anything is begun."""
    if fitting.wanted:
        earlier = fitting.earlier.outcomes
        people = {o.person for o in earlier if o.kind == "bona_fide" and o.completed}
        if "bona_fide" in wanted.parts:
            people |= {p.name for p in manifest.people if p.genuine}
        enough(people, attacks="attacks" in wanted.parts or any(o.kind == "attack" for o in earlier))


def _print_summary(console: Console, results: Results) -> None:
    """Print the figures in a few lines."""
    for rates in results.gestures:
        table = Table(title=f"{rates.engine}, {rates.fps:g} frames a second", title_justify="left")
        for column in ("gesture", "hits", "false accepts"):
            table.add_column(column)
        for gesture, hits in rates.hits.items():
            table.add_row(words(gesture), _rate(hits), _rate(rates.false_accepts.get(gesture)))
        console.print(table)
        apart = rates.unlabelled
        console.print(f"False accepts but for seconds labelled with the gesture: {_rate(apart)}", highlight=False)
        median = rates.median()
        if median is not None:
            console.print(f"Onset to pass: {median:.2f} s in the median", highlight=False)
    for fps in dict.fromkeys(v.fps for v in results.verdicts):
        _tell_verdicts(console, [v for v in results.verdicts if v.fps == fps])


def _tell_verdicts(console: Console, verdicts: Sequence[Verdicts]) -> None:
    """The first engine's verdicts at one rate."""
    same = [v for v in verdicts if v.engine == verdicts[0].engine]
    title = f"Attacks accepted, {same[0].engine}, {same[0].fps:g} frames a second"
    table = Table(title=title, title_justify="left")
    table.add_column("species")
    for verdict in same:
        table.add_column(verdict.preset)
    for i, species in enumerate(same[0].species):
        table.add_row(words(species.name), *(f"{v.species[i].accepted}/{v.species[i].n}" for v in same))
    table.add_row("people turned away", *(_rate(v.rejected) for v in same))
    console.print(table)


def _rate(rate: Rate | None) -> str:
    return "–" if rate is None or not rate.n else f"{rate.k}/{rate.n}  {100 * rate.share:.1f} %"
