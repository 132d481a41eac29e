"""Policies: the bounds within which callers may ask for a check, set by the operator for all callers or for one API key.

A policy is a line of bounds separated by spaces, such as `preset=standard.. num_challenges=3..5 timeout_seconds=..10`. It
bounds the parameters of a session's creation, under their own names:

    preset=standard..           a floor; `..standard` is a ceiling, `standard` the only one
    num_challenges=3..5         a floor and a ceiling; likewise timeout_seconds
    kinds=3..                   the least number of kinds of challenges that must be left to draw from
    challenge_types=SMILE,BLINK the only challenges that may be drawn
    exclude=BLINK               the only challenges that may be left out; `exclude=none`: none of them
    mirrored=off, reveal=next   the only value

`default` stands for the service's own preset (PRESET), and `any` is the policy without bounds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from typing import Generic, TypeVar

from shared.liveness.challenge import ChallengeType
from shared.liveness.evidence import Preset

_T = TypeVar("_T", int, float)
_V = TypeVar("_V")

#: The policy without bounds, as text.
ANY = "any"
#: Characters that a policy may have at most, as the database keeps it.
LONGEST = 500

_PRESETS = tuple(Preset)  # from the weakest to the strictest
_SWITCH = {"on": True, "true": True, "off": False, "false": False}


@dataclass(frozen=True, slots=True)
class Range(Generic[_T]):
    """A floor and a ceiling, both inclusive; None where there is none."""

    least: _T | None = None
    most: _T | None = None

    def __and__(self, other: Range[_T]) -> Range[_T]:
        """The values in both ranges. Raises ValueError if there are none."""
        floors = [bound for bound in (self.least, other.least) if bound is not None]
        ceilings = [bound for bound in (self.most, other.most) if bound is not None]
        both = Range(max(floors, default=None), min(ceilings, default=None))
        if both.least is not None and both.most is not None and both.least > both.most:
            raise ValueError("leaves nothing that may be asked for")
        return both

    def __contains__(self, value: _T) -> bool:
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)

    def nearest(self, value: _T) -> _T:
        """The value of the range that is nearest to this one."""
        if self.least is not None and value < self.least:
            return self.least
        return self.most if self.most is not None and value > self.most else value


@dataclass(frozen=True, slots=True)
class Policy:
    """The bounds of a session's creation. Without any of them everything may be asked for."""

    #: Positions in `Preset`, from the weakest to the strictest.
    preset: Range[int] = Range()
    num_challenges: Range[int] = Range()
    timeout_seconds: Range[float] = Range()
    #: How many kinds of challenges are left to draw from.
    kinds: Range[int] = Range()
    #: The only challenges that may be drawn; None: all.
    challenge_types: frozenset[ChallengeType] | None = None
    #: The only challenges that may be left out; None: all.
    exclude: frozenset[ChallengeType] | None = None
    mirrored: bool | None = None
    reveal: str | None = None

    @classmethod
    def parse(cls, text: str, default: Preset = Preset.STANDARD) -> Policy:
        """The policy in a text; default: the preset that the word `default` stands for. Raises ValueError."""
        bounds = text.split()
        if bounds == [ANY]:
            return cls()
        if len(text) > LONGEST:
            raise ValueError(f"a policy has at most {LONGEST} characters")
        policy = cls()
        for bound in bounds:
            name, sign, value = bound.partition("=")
            if not sign or not value or name not in _NAMES:
                raise ValueError(f"{bound!r} is no bound: write one of {', '.join(_NAMES)}, an equals sign and a value")
            try:
                policy &= cls._of_bound(name, value, default)
            except (ValueError, KeyError):
                raise ValueError(f"{bound!r} is no bound that can be met; see docs/access.md") from None
        return policy

    @classmethod
    def _of_bound(cls, name: str, value: str, default: Preset) -> Policy:
        match name:
            case "preset":
                return cls(
                    preset=_range(value, lambda word: _PRESETS.index(default if word == "default" else Preset(word)))
                )
            case "num_challenges":
                return cls(num_challenges=_range(value, _whole(1, 10)))
            case "kinds":
                return cls(kinds=_range(value, _whole(1, len(ChallengeType))))
            case "timeout_seconds":
                return cls(timeout_seconds=_range(value, _seconds))
            case "challenge_types":
                return cls(challenge_types=_types(value))
            case "exclude":
                return cls(exclude=frozenset() if value == "none" else _types(value))
            case "mirrored":
                return cls(mirrored=_SWITCH[value])
        if value not in ("all", "next"):
            raise ValueError
        return cls(reveal=value)

    def __and__(self, other: Policy) -> Policy:
        """The policy that holds both policies' bounds. Raises ValueError if nothing can meet them."""
        both = Policy(
            preset=self.preset & other.preset,
            num_challenges=self.num_challenges & other.num_challenges,
            timeout_seconds=self.timeout_seconds & other.timeout_seconds,
            kinds=self.kinds & other.kinds,
            challenge_types=_common(self.challenge_types, other.challenge_types),
            exclude=_common(self.exclude, other.exclude),
            mirrored=_same(self.mirrored, other.mirrored),
            reveal=_same(self.reveal, other.reveal),
        )
        if not both.drawable or len(both.drawable) < (both.kinds.least or 1):
            raise ValueError("leaves no challenges that may be drawn")
        return both

    def __str__(self) -> str:
        """The policy as a text that `parse` reads."""
        bounds = [
            *_written("preset", self.preset, lambda at: _PRESETS[at].value),
            *_written("num_challenges", self.num_challenges, str),
            *_written("timeout_seconds", self.timeout_seconds, lambda seconds: f"{seconds:g}"),
            *_written("kinds", self.kinds, str),
        ]
        if self.challenge_types is not None:
            bounds.append(f"challenge_types={_listed(self.challenge_types)}")
        if self.exclude is not None:
            bounds.append(f"exclude={_listed(self.exclude) or 'none'}")
        if self.mirrored is not None:
            bounds.append(f"mirrored={'on' if self.mirrored else 'off'}")
        if self.reveal is not None:
            bounds.append(f"reveal={self.reveal}")
        return " ".join(bounds) or ANY

    @property
    def drawable(self) -> frozenset[ChallengeType]:
        """The challenges that may be drawn."""
        return frozenset(ChallengeType) if self.challenge_types is None else self.challenge_types

    def strength(self, preset: Preset) -> Preset:
        """The permitted preset that is nearest to this one."""
        return _PRESETS[self.preset.nearest(_PRESETS.index(preset))]

    def permits(self, preset: Preset) -> bool:
        """Whether this preset may be asked for."""
        return _PRESETS.index(preset) in self.preset


_NAMES = tuple(field.name for field in fields(Policy))


def _range(text: str, read: Callable[[str], _T]) -> Range[_T]:
    """`A..B`, `A..`, `..B` or `A`. Raises ValueError if there is no value, or none between the bounds."""
    first, dots, last = text.partition("..")
    least, most = read(first) if first else None, read(last) if last else None
    if least is None and most is None:
        raise ValueError(text)
    return Range(least, most if dots else least) & Range()


def _whole(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not (text.isdecimal() and least <= int(text) <= most):
            raise ValueError(text)
        return int(text)

    return read


def _seconds(text: str) -> float:
    if not re.fullmatch(r"\d{1,2}(\.\d{1,3})?", text) or not 1 <= float(text) <= 60:
        raise ValueError(text)
    return float(text)


def _types(text: str) -> frozenset[ChallengeType]:
    return frozenset(ChallengeType(name) for name in text.split(","))


def _listed(types: Iterable[ChallengeType]) -> str:
    return ",".join(kind for kind in ChallengeType if kind in types)


def _written(name: str, bounds: Range[_T], write: Callable[[_T], str]) -> list[str]:
    if bounds == Range():
        return []
    least = "" if bounds.least is None else write(bounds.least)
    if bounds.least == bounds.most:
        return [f"{name}={least}"]
    return [f"{name}={least}..{'' if bounds.most is None else write(bounds.most)}"]


def _common(
    one: frozenset[ChallengeType] | None, other: frozenset[ChallengeType] | None
) -> frozenset[ChallengeType] | None:
    return one & other if one is not None and other is not None else other if one is None else one


def _same(one: _V | None, other: _V | None) -> _V | None:
    if one is not None and other is not None and one != other:
        raise ValueError("bounds that contradict each other")
    return other if one is None else one
