"""What `ops/evaluate --fit` and `--leave-people-out` do once the sessions are played."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rich.console import Console

from ops.lab.evaluate.fitting.calibration import Bin, Scored, auc, bins, log_loss, mix, scored
from ops.lab.evaluate.fitting.crossed import Crossed, Live, crossed, verdict, without_species
from ops.lab.evaluate.fitting.earlier import Attributes, Earlier, FittingError, sessions_of
from ops.lab.evaluate.fitting.figures import completed_by, rows, turned_away
from ops.lab.evaluate.fitting.fit import FITTED_DECISIVE
from ops.lab.evaluate.fitting.groups import Group, groups
from ops.lab.evaluate.fitting.module import module
from ops.lab.evaluate.fitting.plots import scores_chart, species_chart
from ops.lab.evaluate.fitting.samples import samples_of
from ops.lab.evaluate.fitting.sheet import Sheet
from ops.lab.evaluate.outcome import Outcome
from ops.lab.evaluate.presets import USUAL
from ops.lab.evaluate.steps import Steps
from ops.run.revision import revision
from shared.liveness.evidence import Code, Preset, Weighing
from shared.weights_file import read_weights, write_weights

#: People whom weights are fitted over at least.
PEOPLE: Final = 10


@dataclass(frozen=True, slots=True)
class Fitting:
    """What is to be fitted, and over which earlier runs as well."""

    #: Where the weights go; None where they are not asked for.
    file: Path | None = None
    earlier: Earlier = field(default_factory=Earlier)
    #: Whether each verdict of the run is to be the one of weights that never saw its person.
    leave_people_out: bool = False

    @property
    def wanted(self) -> bool:
        """Whether there is anything to fit."""
        return self.file is not None or self.leave_people_out


NO_FITTING: Final = Fitting()


def fit_over(
    console: Console,
    fitting: Fitting,
    outcomes: Sequence[Outcome],
    *,
    attributes: Attributes,
    report: Path,
    processes: int,
) -> None:
    """Fit over a run's sessions and the earlier ones; write the weights, and what there is to say about them."""
    sessions = sessions_of(outcomes)
    every = [*sessions, *fitting.earlier.outcomes]
    check(every)
    console.print(f"Fitting weights over {len({o.person for o in every})} people …", highlight=False)
    found = crossed(every, {}, strictly=True, processes=processes)
    if fitting.leave_people_out:
        judge_anew(sessions, found)
    if fitting.file is not None:
        usual, found = _usual(every, found)
        measured = scored(usual, found)
        found = replace(found, weighing=replace(found.weighing, made=_made(usual, measured)))
        write(fitting.file, found.weighing)
        console.print(f"✓ {fitting.file}", highlight=False, soft_wrap=True)
        left_out = _species_left_out(console, usual, processes)
        grouped = groups(usual, found, {**fitting.earlier.attributes, **attributes})
        sheet = _sheet(usual, found, left_out=left_out, groups=grouped, bins=bins(measured))
        (report / "plots").mkdir(parents=True, exist_ok=True)
        (report / "weights.md").write_text(sheet.text(), encoding="utf-8")
        (report / "plots" / "scores.svg").write_text(scores_chart(usual, found), encoding="utf-8")
        (report / "plots" / "trade_off_species.svg").write_text(species_chart(usual, found), encoding="utf-8")


def check(outcomes: Iterable[Outcome]) -> None:
    """Raise FittingError where the sessions are too few to be fitted."""
    samples = samples_of(outcomes, FITTED_DECISIVE)
    people = {s.person for s in samples if s.bona_fide}
    enough(people, attacks=any(not s.bona_fide for s in samples))


def enough(people: set[str], *, attacks: bool) -> None:
    """Raise FittingError where so many people, or no attacks at all, are too few."""
    if len(people) < PEOPLE:
        raise FittingError(
            f"Weights are fitted over {PEOPLE} people at least, and {len(people)} have bona fide sessions that were "
            "completed: add people, or earlier runs by --with."
        )
    if not attacks:
        raise FittingError("There are no attacks whose challenges were met: weights need some to tell people from.")


def judge_anew(sessions: Iterable[Outcome], found: Crossed) -> None:
    """Give each completed session the verdict of weights and thresholds that never saw its person.

    The sessions are the first ones of those that were fitted.
    """
    for session, score, live in zip(sessions, found.scores, found.live, strict=False):
        if session.completed:
            gravest = verdict(session, found.unseen(session.person)).gravest
            session.score, session.is_live = score, live[Preset(session.preset)]
            session.reason = None if session.is_live else str(Code.UNSEEN if gravest is None else gravest.code)


def write(path: Path, weighing: Weighing) -> None:
    """Write weights: as a module where the file's name ends in .py, else as JSON. Raises WeightsError on what is none."""
    if path.suffix == ".py":
        path.write_text(module(weighing), encoding="utf-8")
    else:
        write_weights(path, weighing)
        read_weights(path)


def _usual(outcomes: Sequence[Outcome], found: Crossed) -> tuple[list[Outcome], Crossed]:
    """Each session once: every preset plays the same ones, and every threshold is tried on each."""
    at = [i for i, o in enumerate(outcomes) if o.preset == USUAL]
    kept = replace(found, scores=[found.scores[i] for i in at], live=[found.live[i] for i in at])
    return [outcomes[i] for i in at], kept


def _made(outcomes: Sequence[Outcome], measured: Sequence[Scored]) -> dict[str, str]:
    """What the weights say about themselves; nobody's name is in it."""
    completed = [o for o in outcomes if o.completed]
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "revision": revision(),
        "people": str(len({o.person for o in completed if o.kind == "bona_fide"})),
        "sessions": str(sum(o.kind == "bona_fide" for o in completed)),
        "attacks": str(sum(o.kind == "attack" for o in completed)),
        "mix": f"{mix(measured):.2f} of the fit's weight is bona fide",
        "unseen people": f"AUC {auc(measured):.4f}, log loss {log_loss(measured):.3f} bits",
    }


def _species_left_out(console: Console, outcomes: Sequence[Outcome], processes: int) -> dict[str, list[Live]]:
    """The verdicts on each species by a fit without it; nothing where there is one species only."""
    fitted = {s.species for s in samples_of(outcomes, FITTED_DECISIVE) if not s.bona_fide}
    names = sorted({o.species for o in outcomes if o.species and fitted - {o.species}})
    found = {}
    with Steps(console, len(names)) as steps:
        for name in names:
            found[name] = without_species(outcomes, name, processes=processes)
            steps.done(f"without {name}")
    return found


def _sheet(
    outcomes: Sequence[Outcome],
    found: Crossed,
    *,
    left_out: Mapping[str, Sequence[Live]],
    groups: Sequence[Group],
    bins: Sequence[Bin],
) -> Sheet:
    lost = {preset: _lost(outcomes, found, preset) for preset in Preset}
    turned = turned_away(outcomes, found)
    return Sheet(found.weighing, rows(outcomes, found), lost, turned, left_out, groups, bins)


def _lost(outcomes: Sequence[Outcome], found: Crossed, preset: Preset) -> float:
    """The share of completed bona fide sessions that a preset turns away, each person counting alike."""
    people = completed_by(outcomes, found, preset)
    return sum(lost / n for lost, n in people.values()) / max(1, len(people))
