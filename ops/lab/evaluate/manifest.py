"""The manifest: which seconds of which recordings show whom doing what. Its format is in docs/evaluation.md."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shared.liveness.challenge import EXPRESSIONS, HEAD_MOVEMENTS, ChallengeType

#: Species of attack that the manifest has recordings of.
SCREEN_REPLAY, GENERATED = "screen_replay", "generated"
#: Degrees clockwise that a recording's pictures can be turned by.
TURNS = (0, 90, -90, 180)


class ManifestError(Exception):
    """The manifest cannot be used; a sentence that says where and why."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Seconds from `start` to `end` of the recording at `path`."""

    path: Path
    start: float
    end: float
    #: The second of the gesture's middle; 0 if there is none.
    peak: float = 0.0
    #: The second of the gesture's beginning, if it is labelled.
    onset: float | None = None
    #: Degrees clockwise by which the recording's pictures are to be turned; None: as the recording says of itself.
    turn: int | None = field(default=None, kw_only=True)

    def __str__(self) -> str:
        return f"{self.path.name} {self.start:g}–{self.end:g} s"

    def holds(self, path: Path, second: float) -> bool:
        """Whether the segment contains a second of a recording."""
        return self.path == path and self.start <= second <= self.end


@dataclass(frozen=True, slots=True)
class Person:
    """One person's segments."""

    name: str
    neutral: tuple[Segment, ...]
    gestures: Mapping[ChallengeType, tuple[Segment, ...]]
    #: Attributes by which a report groups people: "skin", "glasses", "beard", "light" and any other in the manifest.
    about: Mapping[str, str | bool | float] = field(default_factory=dict)

    def absent(self, gesture: ChallengeType) -> list[Segment]:
        """The segments that show this person without `gesture`."""
        other = [s for g, segments in self.gestures.items() if g != gesture for s in segments]
        return [*self.neutral, *other]

    @property
    def segments(self) -> list[Segment]:
        """All segments."""
        return [*self.neutral, *(s for segments in self.gestures.values() for s in segments)]

    @property
    def genuine(self) -> bool:
        """Whether any segment shows a gesture."""
        return bool(self.gestures)


@dataclass(frozen=True, slots=True)
class Manifest:
    """The people, and the recordings of attacks."""

    people: tuple[Person, ...]
    #: Recordings of a person, filmed off a screen: presentation attacks.
    screen_replays: tuple[Person, ...]
    #: Recordings of a face that a program has made: presentation or injection attacks.
    generated: tuple[Person, ...]
    #: Recordings of a still head with moving eyes, which must pass no turn.
    still_head: tuple[Segment, ...]

    def person(self, name: str) -> Person:
        """The person of that name."""
        return next(p for p in self.people if p.name == name)

    def attacks(self, species: str) -> tuple[Person, ...]:
        """The recordings of a species of attack; none for species that are made from other recordings."""
        return {SCREEN_REPLAY: self.screen_replays, GENERATED: self.generated}.get(species, ())


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
    reader = _Reader((root or path.parent).resolve(), document)
    people = reader.people("people")
    wanted = set(only)
    unknown = wanted - {p.name for p in people}
    if unknown:
        raise ManifestError(f"{path} knows no {', '.join(sorted(unknown))} among its people.")
    if not people:
        raise ManifestError(f'{path} holds nobody: "people" is empty or missing.')
    return Manifest(
        people=tuple(p for p in people if not wanted or p.name in wanted),
        screen_replays=reader.people("screen_replays"),
        generated=reader.people("generated"),
        still_head=tuple(reader.segments(document.get("still_head", []), "still_head", least=3)),
    )


class _Reader:
    """Makes people and segments of a manifest's document, and says where something is wrong in it."""

    def __init__(self, root: Path, document: dict[str, Any]) -> None:
        self._root = root
        self._document = document
        self._turns = self._read_turns(document.get("turn", {}))

    def people(self, key: str) -> tuple[Person, ...]:
        """The people under a key of the document."""
        entries = self._document.get(key, [])
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
        about = _about(entry.get("about", {}), where)
        return Person(entry["name"], neutral, {g: s for g, s in gestures.items() if s}, about)

    def _read_turns(self, turns: Any) -> dict[Path, int]:
        if not isinstance(turns, dict):
            raise ManifestError("turn must be an object of paths and degrees.")
        for path, degrees in turns.items():
            if degrees not in TURNS:
                raise ManifestError(
                    f"turn: {path} cannot be turned by {degrees!r}, only by {', '.join(map(str, TURNS))}."
                )
        return {self._root / path: degrees for path, degrees in turns.items()}

    def segments(self, entries: Any, where: str, least: int) -> Iterable[Segment]:
        """The segments of a list, each of at least so many entries."""
        if not isinstance(entries, list):
            raise ManifestError(f"{where} must be a list of segments.")
        for i, entry in enumerate(entries):
            yield self._segment(entry, f"{where}[{i}]", least)

    def _segment(self, entry: Any, where: str, least: int) -> Segment:
        shape = "[path, start, end]" if least == 3 else "[path, start, end, peak] or [path, start, end, peak, onset]"
        if not isinstance(entry, list) or len(entry) < least or not isinstance(entry[0], str):
            raise ManifestError(f"{where} must be {shape}.")
        try:
            path = self._root / entry[0]
            segment = Segment(path, *map(float, entry[1:5]), turn=self._turns.get(path))
        except (TypeError, ValueError) as error:
            raise ManifestError(f"{where} must be {shape}, with seconds as numbers.") from error
        if not 0 <= segment.start < segment.end:
            raise ManifestError(f"{where} must end after it starts.")
        if least == 4 and not segment.start <= segment.peak <= segment.end:
            raise ManifestError(f"{where}: its peak, {segment.peak:g} s, is not between its start and its end.")
        if not segment.path.is_file():
            raise ManifestError(f"{where}: there is no file {segment.path}.")
        return segment


def _about(entry: Any, where: str) -> dict[str, str | bool | float]:
    """A person's attributes; a plain sentence becomes the description."""
    about = {"description": entry} if isinstance(entry, str) else entry
    if not isinstance(about, dict) or not all(isinstance(value, str | bool | int | float) for value in about.values()):
        raise ManifestError(f"{where}.about must be a sentence, or an object of words, numbers, true and false.")
    return about
