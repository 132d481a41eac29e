"""The sessions of earlier runs, from their `results.json`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from ops.lab.evaluate.outcome import Outcome
from ops.lab.evaluate.presets import USUAL

#: What a manifest says about each person.
Attributes = Mapping[str, Mapping[str, str | bool | float]]


class FittingError(Exception):
    """Weights cannot be fitted; a sentence that says why."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """What a fit takes from earlier runs: their sessions, and what was said about the people."""

    outcomes: tuple[Outcome, ...] = ()
    attributes: Attributes = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _About:
    attributes: dict[str, dict[str, str | bool | float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Document:
    """The part of `results.json` that a fit reads."""

    outcomes: list[Outcome]
    about: _About = field(default_factory=_About)


def read_earlier(paths: Iterable[Path]) -> Earlier:
    """The sessions of several runs together, each file once. Raises FittingError where one holds no results."""
    outcomes: list[Outcome] = []
    attributes: dict[str, Mapping[str, str | bool | float]] = {}
    for path in dict.fromkeys(paths):
        document = _read(path)
        sessions = sessions_of(document.outcomes)
        if not any(o.findings for o in sessions):
            raise FittingError(f"{path} holds no sessions with findings: its run had neither sessions nor attacks.")
        outcomes += [o for o in sessions if o.preset == USUAL]
        attributes |= document.about.attributes
    return Earlier(tuple(outcomes), attributes)


def sessions_of(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """The whole sessions among the outcomes: neither hits nor false accepts of single clips."""
    return [o for o in outcomes if o.kind in ("bona_fide", "attack")]


def _read(path: Path) -> _Document:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Document)
    except OSError as error:
        raise FittingError(f"{path} cannot be read: {error.strerror}.") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise FittingError(f"{path} holds no results of ops/evaluate: {error}.") from error
