"""Made-up sessions, for fits without vision: what the judges found is drawn by lot around what people and attacks show."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ops.lab.evaluate.outcome import Outcome
from shared.liveness.evidence import Code

#: Means of what each judge finds: of living people, and of each species of attack. All spread by SPREAD.
PEOPLE: Mapping[Code, float] = {Code.FLAT: 0.3, Code.STIFF: 0.3, Code.CUT: 0.3}
SPECIES: Mapping[str, Mapping[Code, float]] = {
    "still": {Code.FLAT: 0.8, Code.STIFF: 0.7, Code.CUT: 0.3},
    "photo_swap": {Code.FLAT: 0.3, Code.STIFF: 0.8, Code.CUT: 0.8},
}
SPREAD = 0.08


def session(person: str, findings: Sequence[tuple[Code, float, int | None]], **what: Any) -> Outcome:
    """A completed bona fide session with one challenge, unless it is said otherwise."""
    usual: dict[str, Any] = {
        "kind": "attack" if what.get("species") else "bona_fide",
        "species": "",
        "detail": "",
        "engine": "mesh",
        "fps": 8.0,
        "preset": "standard",
        "asked": ["TURN_LEFT"],
        "passed": [],
        "state": "completed",
        "is_live": True,
        "reason": None,
        "seconds": 3.0,
        "frames": 24,
    }
    return Outcome(person=person, findings=[(str(c), s, at) for c, s, at in findings], **usual | what)


def drawn_by_lot(person: str, species: str = "", *, chance: random.Random, **what: Any) -> Outcome:
    """A session whose judges find what is usual for its species."""
    means = SPECIES[species] if species else PEOPLE
    findings = [(code, round(max(0.0, chance.gauss(mean, SPREAD)), 4), 0) for code, mean in means.items()]
    return session(person, findings, species=species, **what)


def population(people: int = 12, sessions: int = 3, species: Iterable[str] = SPECIES) -> list[Outcome]:
    """So many people, each with bona fide sessions and attacks of each species."""
    chance = random.Random(5)
    names = [f"person {i:02}" for i in range(people)]
    return [
        drawn_by_lot(name, kind, chance=chance) for name in names for kind in ("", *species) for _ in range(sessions)
    ]


def write_results(path: Path, outcomes: Iterable[Outcome], attributes: Mapping[str, Any] | None = None) -> Path:
    """What an earlier run has left."""
    document = {"about": {"attributes": attributes or {}}, "outcomes": [asdict(o) for o in outcomes]}
    path.write_text(json.dumps(document))
    return path
