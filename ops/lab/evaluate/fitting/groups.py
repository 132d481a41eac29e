"""Who is turned away: by attribute of the people, and the single people, on weights that never saw them."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from ops.lab.evaluate.fitting.crossed import Crossed
from ops.lab.evaluate.fitting.earlier import Attributes
from ops.lab.evaluate.fitting.figures import completed_by
from ops.lab.evaluate.outcome import Outcome

#: Free text, which groups nobody.
DESCRIPTION = "description"


@dataclass(frozen=True, slots=True)
class Group:
    """The people of whom the manifest says the same."""

    attribute: str
    value: str
    people: int
    sessions: int
    lost: int
    #: The share of their completed sessions that was not live under `standard`, each person counting alike.
    share: float
    #: The one who was turned away most, with the counts; empty where nobody was.
    worst: str


def groups(outcomes: Sequence[Outcome], found: Crossed, attributes: Attributes) -> list[Group]:
    """The groups of each attribute that at least two people share a value of; those without it are a group as well."""
    people = completed_by(outcomes, found)
    names = dict.fromkeys(name for person in people for name in attributes.get(person, {}) if name != DESCRIPTION)
    made = []
    for name in names:
        values = _values({person: attributes.get(person, {}).get(name) for person in people})
        if len(set(values.values())) < len(values):
            made += [_group(name, value, values, people) for value in sorted(set(values.values()))]
    return made


def _values(said: dict[str, str | bool | float | None]) -> dict[str, str]:
    """Each person's value in words; many different numbers become two groups, parted at their median."""
    numbers = [v for v in said.values() if isinstance(v, int | float) and not isinstance(v, bool)]
    middle = statistics.median(numbers) if len(set(numbers)) > 4 else None
    return {person: _word(value, middle) for person, value in said.items()}


def _word(value: str | bool | float | None, middle: float | None) -> str:
    if value is None:
        return "not said"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    if middle is None:
        return f"{value:g}"
    return f"up to {middle:g}" if value <= middle else f"above {middle:g}"


def _group(name: str, value: str, values: dict[str, str], people: dict[str, tuple[int, int]]) -> Group:
    own = {person: people[person] for person, theirs in values.items() if theirs == value}
    shares = {person: lost / n for person, (lost, n) in own.items()}
    worst = max(shares, key=lambda person: shares[person])
    lost, n = own[worst]
    return Group(
        name,
        value,
        len(own),
        sum(n for _, n in own.values()),
        sum(lost for lost, _ in own.values()),
        statistics.mean(shares.values()),
        f"{worst}: {lost} of {n}" if lost else "",
    )
