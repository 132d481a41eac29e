"""The figures of a fit, by species and by number of challenges, as a table of Markdown: what docs/security.md shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ops.lab.evaluate.fitting.crossed import Crossed
from ops.lab.evaluate.intervals import upper_bound
from ops.lab.evaluate.outcome import Outcome
from shared.liveness.evidence import Preset


@dataclass(frozen=True, slots=True)
class Row:
    """One species with one or with more challenges."""

    species: str
    challenges: str
    n: int
    people: int
    completed: int
    live: dict[Preset, int]

    @property
    def upper(self) -> float:
        """The 95 % upper bound of the share that is live under `standard`."""
        return upper_bound(self.live[Preset.STANDARD], self.n)


def rows(outcomes: Sequence[Outcome], found: Crossed) -> list[Row]:
    """A row for each species and length of session, attacks first, the worst of them first."""
    grouped: dict[tuple[str, str], list[int]] = {}
    for i, outcome in enumerate(outcomes):
        length = "one" if len(outcome.asked) == 1 else "two or three"
        grouped.setdefault((outcome.species, length), []).append(i)
    made = [
        Row(
            species,
            length,
            len(at),
            len({outcomes[i].person for i in at}),
            sum(outcomes[i].completed for i in at),
            {preset: sum(found.live[i][preset] for i in at) for preset in Preset},
        )
        for (species, length), at in grouped.items()
    ]
    return sorted(made, key=lambda r: (not r.species, -r.live[Preset.STANDARD] / r.n, -r.upper))


def table(made: Sequence[Row]) -> str:
    """The rows as a table of Markdown."""
    head = [
        "what",
        "challenges",
        "sessions",
        "people",
        "challenges met",
        *(f"live, `{p}`" for p in Preset),
        "95 % bound",
    ]
    lines = [head, ["---"] * len(head)]
    for row in made:
        bound = f"{100 * row.upper:.0f} %" if row.species else ""
        counts = [str(n) for n in (row.n, row.people, row.completed, *(row.live[p] for p in Preset))]
        lines.append([row.species.replace("_", " ") or "**bona fide**", row.challenges, *counts, bound])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def turned_away(outcomes: Sequence[Outcome], found: Crossed) -> dict[str, tuple[int, int]]:
    """Of each person with a bona fide session that was completed and not live under `standard`: how many, of how many."""
    some = {person: counts for person, counts in completed_by(outcomes, found).items() if counts[0]}
    return dict(sorted(some.items(), key=lambda item: -item[1][0] / item[1][1]))


def completed_by(
    outcomes: Sequence[Outcome], found: Crossed, preset: Preset = Preset.STANDARD
) -> dict[str, tuple[int, int]]:
    """Of each person: how many of the bona fide sessions that were completed are not live under a preset, of how many."""
    people: dict[str, tuple[int, int]] = {}
    for outcome, live in zip(outcomes, found.live, strict=True):
        if outcome.kind == "bona_fide" and outcome.completed:
            lost, n = people.get(outcome.person, (0, 0))
            people[outcome.person] = lost + (not live[preset]), n + 1
    return people
