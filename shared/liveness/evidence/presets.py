"""How the findings become a verdict: a limit for each judge, by preset."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum

from shared.liveness.evidence.finding import Code, Finding


class Preset(StrEnum):
    """How much evidence is asked for: the stricter, the fewer attacks and the more people are turned away."""

    LENIENT = "lenient"
    STANDARD = "standard"
    STRICT = "strict"


#: A session is live when no finding reaches its judge's limit. A judge without a limit is recorded, and not weighed.
#: The units are the judges' own; each judge's module says where its scores were measured.
#: `swapped`, on 16 people: the farthest two of 4880 pairs of one person's frames within a recording are 0.475 apart (in the
#: dark 0.518); from one recording to another 4 of 1000 reach 0.52, and 38 reach 0.48. Of 81725 pairs of two people's frames
#: 4.6, 3.4 and 1.4 % stay under 0.55, 0.52 and 0.48.
#: `stiff` and `screen` stand, in standard, in the middle of the gap: between the stiffest person at 8 frames a second (0.75)
#: and the least stiff print that met its challenges (0.83), and between the straightest room (0.66) and the least of the
#: screens (0.83).
#: `flat`, on 556 gestures of 16 people, filmed in seven ways and at 5, 8 and 15 frames a second: all stay under 0.044, but
#: for one person's smile, who talks meanwhile (0.060 to 0.079). Standard is as close above them as it can be: turned prints
#: have no gap there, and two of 52 sessions of them had 0.053 and 0.055.
#: `unasked`: anybody may laugh or look aside while asked for something else, but not three times in one session.
#: `mixed`: of 1075 stretches of people's recordings, a third in the dark and a third blurred, 13 reach 0.82 and none 0.87;
#: in a whole session in the dark one blink came to 0.90. Of 320 sessions of photos that follow each other, cut and faded,
#: standard accepts 50; without this judge it would be 87.
LIMITS: Mapping[Preset, Mapping[Code, float]] = {
    Preset.LENIENT: {
        Code.FROZEN: 0.8,
        Code.FLAT: 0.08,
        Code.REPEATED: 0.6,
        Code.STIFF: 0.9,
        Code.MIXED: 0.95,
        Code.SWAPPED: 0.55,
        Code.MOIRE: 500.0,
    },
    Preset.STANDARD: {
        Code.FROZEN: 0.5,
        Code.FLAT: 0.048,
        Code.REPEATED: 0.3,
        Code.STIFF: 0.8,
        Code.MIXED: 0.92,
        Code.SWAPPED: 0.52,
        Code.UNIDENTIFIED: 1.0,
        Code.SCREEN: 0.75,
        Code.MOIRE: 250.0,
        Code.UNASKED: 3.0,
    },
    Preset.STRICT: {
        Code.FROZEN: 0.35,
        Code.FLAT: 0.04,
        Code.REPEATED: 0.1,
        Code.STIFF: 0.6,
        Code.MIXED: 0.87,
        Code.SWAPPED: 0.48,
        Code.UNIDENTIFIED: 1.0,
        Code.SCREEN: 0.7,
        Code.MOIRE: 120.0,
        Code.UNASKED: 2.0,
        Code.ABRUPT: 0.85,
        Code.CUT: 1.0,
    },
}


#: Judges of what a living face shows sooner or later, and a thing never does: once seen in a session, it was seen. Some
#: people blink and move nothing else; no print with holes turns its head as they do in the next challenge.
_ONCE = frozenset({Code.STIFF})


#: `flat` and `stiff` look for the same thing, a sheet of paper, by what has nothing to do with one another: how its outline
#: is squeezed, and what moves within it. Where in one challenge both have gone this share of the way to their limits, they
#: count as one; not of a face that in some challenge was under this share of stiff. Measured on 882 single challenges before
#: prints of 26 other people, turned, tilted and bent on five paths, which met 87 of them: 4 are accepted, 7 without this. Of
#: 1478 sessions of people (3446 challenges, filmed in five ways, one of them at three frame rates) it turns away none; of
#: their challenges nine in ten are under this share of flat.
_HALF = 0.5


def against(findings: Iterable[Finding], preset: Preset) -> list[Finding]:
    """The findings that speak against a live person under this preset, the gravest first."""
    limits, findings = LIMITS[preset], list(findings)
    over = [f for f in findings if f.code in limits and f.score >= limits[f.code]]
    cleared = {f.code for f in findings if f.code in _ONCE and f not in over}
    over = [f for f in over if f.code not in cleared]
    over += [f for f in _sheets(findings, limits) if f not in over]
    return sorted(over, key=lambda f: limits[f.code] / max(f.score, 1e-9))


def _sheets(findings: list[Finding], limits: Mapping[Code, float]) -> Iterator[Finding]:
    """The findings of `flat` that count because of what `stiff` found in the same challenge; none of a face that lived."""
    stiff = {f.challenge: f.score >= _HALF * limits[f.code] for f in findings if f.code is Code.STIFF}
    if not all(stiff.values()):
        return
    for finding in findings:
        if finding.code is Code.FLAT and stiff.get(finding.challenge) and finding.score >= _HALF * limits[finding.code]:
            yield finding
