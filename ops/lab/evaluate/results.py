"""Counts outcomes, with intervals, in the terms of ISO/IEC 30107-3 where they fit."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from ops.lab.evaluate.attacks import EVERY_SPECIES
from ops.lab.evaluate.footprint import Footprint
from ops.lab.evaluate.intervals import upper_bound, wilson
from ops.lab.evaluate.outcome import Outcome
from ops.lab.evaluate.signals import UNITS, Signals, onset, reach
from shared.liveness.challenge import ChallengeType
from shared.liveness.gestures.amount import NEEDED

#: Seconds by which an onset may be wrong: it is searched in frames that are 0.067 s apart.
EARLY = 0.1


@dataclass(frozen=True, slots=True)
class Rate:
    """k of n, with Wilson's 95 % interval."""

    k: int
    n: int
    low: float
    high: float

    @classmethod
    def of(cls, flags: Iterable[bool]) -> Rate:
        """Count the true ones."""
        counted = list(flags)
        return cls(sum(counted), len(counted), *wilson(sum(counted), len(counted)))

    @property
    def share(self) -> float:
        """The share k / n; 0 if n is 0."""
        return self.k / self.n if self.n else 0.0


@dataclass(frozen=True, slots=True)
class GestureRates:
    """The gestures of one engine at one frame rate; all together under "all"."""

    engine: str
    fps: float
    hits: dict[str, Rate]
    false_accepts: dict[str, Rate]
    #: The same without false accepts in seconds that are labelled with the gesture asked for.
    unlabelled: Rate
    #: Seconds from onset and from labelled peak to the pass, of each hit.
    since_onset: dict[str, list[float]]
    since_peak: dict[str, list[float]]
    #: Hits that passed at the clip's first showing.
    at_first: Rate

    @property
    def early(self) -> int:
        """Hits that passed before the gesture began, by something else in the clip."""
        return sum(s < -EARLY for s in self.since_onset["all"])

    def median(self, gesture: str = "all") -> float | None:
        """Seconds from the onset to the pass, of hits that did not pass before it."""
        seconds = [s for s in self.since_onset.get(gesture, []) if s >= -EARLY]
        return statistics.median(seconds) if seconds else None


@dataclass(frozen=True, slots=True)
class Species:
    """One species of attack under one preset."""

    name: str
    n: int
    #: The number of attacked people: at worst, only attacks on different people are independent.
    targets: int
    #: Attacks that passed all challenges, and which only the evidence can stop.
    completed: int
    accepted: int
    upper: float

    @property
    def apcer(self) -> float:
        """Attack presentation classification error rate: the share that was taken for a live person."""
        return self.accepted / self.n if self.n else 0.0


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Whole sessions of one engine at one frame rate under one preset."""

    engine: str
    fps: float
    preset: str
    #: Bona fide sessions that were not found live, for whatever reason: BPCER, non-response included.
    rejected: Rate
    #: Of these, sessions that did not pass all challenges; the others failed by their evidence.
    not_completed: int
    #: Seconds of the median session that was found live.
    seconds: float | None
    species: list[Species]

    @property
    def worst(self) -> Species | None:
        """The species to be quoted: the highest APCER, and of equal ones the highest bound."""
        return max(self.species, key=lambda s: (s.apcer, s.upper), default=None)


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a gesture goes where it is labelled, and in everything else; `needed` is what the judges ask for."""

    gesture: str
    unit: str
    needed: float
    done: list[float]
    otherwise: list[float]


@dataclass(slots=True)
class Results:
    """All figures of a run."""

    gestures: list[GestureRates] = field(default_factory=list)
    verdicts: list[Verdicts] = field(default_factory=list)
    reach: list[Reach] = field(default_factory=list)
    footprints: list[Footprint] = field(default_factory=list)
    misses: list[Outcome] = field(default_factory=list)
    false_accepts: list[Outcome] = field(default_factory=list)
    rejected: list[Outcome] = field(default_factory=list)
    accepted: list[Outcome] = field(default_factory=list)


def summarise(outcomes: Sequence[Outcome], signals: Sequence[Signals], footprints: Sequence[Footprint]) -> Results:
    """Count."""
    _time(outcomes, signals)
    results = Results(footprints=list(footprints), reach=_reaches(signals))
    clips = [o for o in outcomes if o.kind in ("hit", "false_accept")]
    for engine, fps in dict.fromkeys((o.engine, o.fps) for o in clips):
        results.gestures.append(_gestures(engine, fps, [o for o in clips if (o.engine, o.fps) == (engine, fps)]))
    sessions = [o for o in outcomes if o.kind in ("bona_fide", "attack")]
    for one in dict.fromkeys((o.engine, o.fps, o.preset) for o in sessions):
        results.verdicts.append(_verdicts(*one, [o for o in sessions if (o.engine, o.fps, o.preset) == one]))
    results.misses = [o for o in outcomes if o.kind == "hit" and not o.passed]
    results.false_accepts = [o for o in outcomes if o.kind == "false_accept" and o.passed]
    results.rejected = [o for o in outcomes if o.kind == "bona_fide" and not o.accepted]
    results.accepted = [o for o in outcomes if o.kind == "attack" and o.accepted]
    return results


def _time(outcomes: Sequence[Outcome], signals: Sequence[Signals]) -> None:
    """Add to each hit the seconds since the gesture's onset, in the clip's first showing."""
    begins: dict[tuple[str, str, float, float], float] = {}
    for recording in signals:
        for label in recording.labels:
            begun = onset(recording, label.gesture, label.segment)
            if begun is not None:
                segment = label.segment
                begins[label.gesture, segment.path.name, segment.start, segment.end] = begun - segment.start
    for outcome in outcomes:
        if outcome.kind == "hit" and outcome.passed and outcome.clip:
            begun = begins.get((outcome.asked[0], *outcome.clip))
            outcome.since_onset = None if begun is None else round(outcome.passed[0][1] - begun, 3)


def _by_gesture(outcomes: Sequence[Outcome]) -> dict[str, list[Outcome]]:
    grouped = {str(g): [o for o in outcomes if o.asked == [g]] for g in ChallengeType}
    return {g: group for g, group in grouped.items() if group} | {"all": list(outcomes)}


def _gestures(engine: str, fps: float, outcomes: Sequence[Outcome]) -> GestureRates:
    hits = [o for o in outcomes if o.kind == "hit"]
    others = [o for o in outcomes if o.kind == "false_accept"]

    def seconds(of: Callable[[Outcome], float | None]) -> dict[str, list[float]]:
        return {g: [s for s in map(of, group) if s is not None] for g, group in _by_gesture(hits).items()}

    return GestureRates(
        engine,
        fps,
        {g: Rate.of(bool(o.passed) for o in group) for g, group in _by_gesture(hits).items()},
        {g: Rate.of(bool(o.passed) for o in group) for g, group in _by_gesture(others).items()},
        Rate.of(bool(o.passed) for o in others if not o.labelled),
        seconds(lambda o: o.since_onset),
        seconds(lambda o: o.since_peak),
        Rate.of(o.lap == 0 for o in hits if o.passed),
    )


def _verdicts(engine: str, fps: float, preset: str, outcomes: Sequence[Outcome]) -> Verdicts:
    genuine = [o for o in outcomes if o.kind == "bona_fide"]
    live = [o.seconds for o in genuine if o.accepted]
    found = []
    for name in EVERY_SPECIES:
        attacks = [o for o in outcomes if o.species == name]
        if attacks:
            accepted = sum(o.accepted for o in attacks)
            found.append(
                Species(
                    name,
                    len(attacks),
                    len({o.person for o in attacks}),
                    sum(o.completed for o in attacks),
                    accepted,
                    upper_bound(accepted, len(attacks)),
                )
            )
    return Verdicts(
        engine,
        fps,
        preset,
        Rate.of(not o.accepted for o in genuine),
        sum(not o.completed for o in genuine),
        statistics.median(live) if live else None,
        found,
    )


def _reaches(signals: Sequence[Signals]) -> list[Reach]:
    if not signals:
        return []
    reaches = []
    for gesture in ChallengeType:
        done: list[float] = []
        otherwise: list[float] = []
        for recording in signals:
            labelled = [label.segment for label in recording.labels if label.gesture == gesture]
            for segment in recording.segments:
                far = reach(recording, gesture, segment)
                # A segment that overlaps a labelled clip may show some of the gesture, and is left out.
                beside = any(segment.start < s.end and s.start < segment.end for s in labelled)
                if far is not None and (segment in labelled or not beside):
                    (done if segment in labelled else otherwise).append(round(far, 4))
        reaches.append(Reach(gesture, UNITS[gesture], NEEDED[gesture], done, otherwise))
    return reaches
