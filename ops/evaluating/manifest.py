"""The manifest: which seconds of which recordings show whom doing what. Its format is in docs/evaluation.md."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.liveness.challenge import EXPRESSIONS, HEAD_MOVEMENTS, ChallengeType


class ManifestError(Exception):
    """The manifest cannot be used; a sentence that says where and why."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Seconds from `start` to `end` of the recording at `path`."""

    path: Path
    start: float
    end: float
    #: The middle of the gesture; 0 where there is none.
    peak: float = 0.0
    #: When the gesture begins, where somebody has labelled it.
    onset: float | None = None

    def __str__(self) -> str:
        return f"{self.path.name} {self.start:g}–{self.end:g} s"

    def holds(self, path: Path, second: float) -> bool:
        """Whether a second of a recording is in it."""
        return self.path == path and self.start <= second <= self.end


@dataclass(frozen=True, slots=True)
class Person:
    """One person's segments."""

    name: str
    neutral: tuple[Segment, ...]
    gestures: Mapping[ChallengeType, tuple[Segment, ...]]

    def absent(self, gesture: ChallengeType) -> list[Segment]:
        """What shows this person without `gesture`: doing nothing, or something else."""
        other = [s for g, segments in self.gestures.items() if g != gesture for s in segments]
        return [*self.neutral, *other]

    @property
    def segments(self) -> list[Segment]:
        """All of them."""
        return [*self.neutral, *(s for segments in self.gestures.values() for s in segments)]

    @property
    def genuine(self) -> bool:
        """Whether there is anything to answer a challenge with."""
        return bool(self.gestures)


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everyone, and what else there is to try."""

    people: tuple[Person, ...]
    #: Recordings of a person, filmed off a screen: presentation attacks.
    screen_replays: tuple[Person, ...]
    #: A head that stays still while the eyes move: no turn, whatever is asked.
    still_head: tuple[Segment, ...]

    def person(self, name: str) -> Person:
        """The person of that name, genuine or on a screen."""
        return next(p for p in (*self.people, *self.screen_replays) if p.name == name)


def drawable(first: Iterable[ChallengeType], second: Iterable[ChallengeType]) -> bool:
    """Whether a session can ask for one of `first`, then one of `second`: it always mixes heads and expressions."""
    a, b = set(first), set(second)
    return bool((a & HEAD_MOVEMENTS and b & EXPRESSIONS) or (a & EXPRESSIONS and b & HEAD_MOVEMENTS))


def load_manifest(path: Path, root: Path | None = None, only: Iterable[str] = ()) -> Manifest:
    """Read a manifest; paths in it are relative to `root`, or else to where it lies. `only`: names of people to keep."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ManifestError(f"{path} cannot be read as JSON: {error}") from error
    if not isinstance(document, dict):
        raise ManifestError(f'{path} must hold an object with "people".')
    reader = _Reader((root or path.parent).resolve())
    people = reader.people(document, "people")
    wanted = set(only)
    unknown = wanted - {p.name for p in people}
    if unknown:
        raise ManifestError(f"{path} knows no {', '.join(sorted(unknown))} among its people.")
    if not people:
        raise ManifestError(f'{path} holds nobody: "people" is empty or missing.')
    return Manifest(
        people=tuple(p for p in people if not wanted or p.name in wanted),
        screen_replays=reader.people(document, "screen_replays"),
        still_head=tuple(reader.segments(document.get("still_head", []), "still_head", least=3)),
    )


class _Reader:
    def __init__(self, root: Path) -> None:
        self._root = root

    def people(self, document: dict[str, Any], key: str) -> tuple[Person, ...]:
        entries = document.get(key, [])
        if not isinstance(entries, list):
            raise ManifestError(f"{key} must be a list.")
        people = tuple(self._person(entry, f"{key}[{i}]") for i, entry in enumerate(entries))
        if len({p.name for p in people}) != len(people):
            raise ManifestError(
                f"Two of {key} have the same name; whoever appears twice is one person with more segments."
            )
        return people

    def _person(self, entry: Any, where: str) -> Person:
        if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
            raise ManifestError(f'{where} must be an object with a "name".')
        gestures: dict[ChallengeType, tuple[Segment, ...]] = {}
        for name, segments in entry.get("gestures", {}).items():
            if name not in ChallengeType.__members__:
                raise ManifestError(f"{where}.gestures: {name!r} is none of {', '.join(ChallengeType)}.")
            gestures[ChallengeType(name)] = tuple(self.segments(segments, f"{where}.gestures.{name}", least=4))
        neutral = tuple(self.segments(entry.get("neutral", []), f"{where}.neutral", least=3))
        return Person(entry["name"], neutral, {g: s for g, s in gestures.items() if s})

    def segments(self, entries: Any, where: str, least: int) -> Iterable[Segment]:
        if not isinstance(entries, list):
            raise ManifestError(f"{where} must be a list of segments.")
        for i, entry in enumerate(entries):
            yield self._segment(entry, f"{where}[{i}]", least)

    def _segment(self, entry: Any, where: str, least: int) -> Segment:
        shape = "[path, start, end]" if least == 3 else "[path, start, end, peak] or [path, start, end, peak, onset]"
        if not isinstance(entry, list) or len(entry) < least or not isinstance(entry[0], str):
            raise ManifestError(f"{where} must be {shape}.")
        try:
            segment = Segment(self._root / entry[0], *map(float, entry[1:5]))
        except (TypeError, ValueError) as error:
            raise ManifestError(f"{where} must be {shape}, with seconds as numbers.") from error
        if not 0 <= segment.start < segment.end:
            raise ManifestError(f"{where} must end after it starts.")
        if least == 4 and not segment.start <= segment.peak <= segment.end:
            raise ManifestError(f"{where}: its peak, {segment.peak:g} s, is not between its start and its end.")
        if not segment.path.is_file():
            raise ManifestError(f"{where}: there is no file {segment.path}.")
        return segment
