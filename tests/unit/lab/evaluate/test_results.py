"""From outcomes to figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ops.lab.evaluate.manifest import Segment
from ops.lab.evaluate.outcome import Outcome
from ops.lab.evaluate.results import summarise
from ops.lab.evaluate.signals import Label, Signals, onset, reach
from shared.liveness.challenge import ChallengeType as C
from shared.liveness.frame import Frame
from tests.unit.lab.evaluate.helpers import seen


def outcome(kind: str, asked: list[str] | None = None, **what: Any) -> Outcome:
    usual: dict[str, Any] = {
        "kind": kind,
        "species": "",
        "person": "ann",
        "detail": "",
        "engine": "mesh",
        "fps": 8.0,
        "preset": "standard",
        "asked": asked or ["SMILE"],
        "passed": [],
        "state": "failed",
        "is_live": None,
        "reason": "timed_out",
        "seconds": 5.0,
        "frames": 40,
    }
    return Outcome(**usual | what)


def passed(kind: str, gesture: str = "SMILE", at: float = 2.0, **what: Any) -> Outcome:
    return outcome(kind, [gesture], passed=[(gesture, at, 0.8)], state="completed", is_live=True, reason=None, **what)


def test_hits_and_false_accepts_are_counted_by_gesture() -> None:
    outcomes = [
        passed("hit"), passed("hit", lap=1), outcome("hit"), passed("hit", "BLINK"),
        passed("false_accept", labelled=True), outcome("false_accept"), outcome("false_accept", ["LOOK_UP"]),
    ]  # fmt: skip
    results = summarise(outcomes, [], [])
    (rates,) = results.gestures
    assert (rates.hits["SMILE"].k, rates.hits["SMILE"].n) == (2, 3)
    assert (rates.hits["all"].k, rates.hits["all"].n) == (3, 4)
    assert (rates.false_accepts["all"].k, rates.false_accepts["all"].n) == (1, 3)
    assert (rates.unlabelled.k, rates.unlabelled.n) == (0, 2)
    assert "BLINK" not in rates.false_accepts
    assert (rates.at_first.k, rates.at_first.n) == (2, 3)
    assert results.misses == [outcomes[2]]
    assert results.false_accepts == [outcomes[4]]


def test_each_engine_and_rate_has_its_figures() -> None:
    results = summarise([passed("hit"), passed("hit", fps=5.0), outcome("hit", engine="dlib")], [], [])
    assert [(r.engine, r.fps) for r in results.gestures] == [("mesh", 8.0), ("mesh", 5.0), ("dlib", 8.0)]


def test_each_rate_of_whole_sessions_has_its_verdicts() -> None:
    sessions = [passed("bona_fide"), outcome("bona_fide", fps=2.0), outcome("bona_fide", preset="strict")]
    verdicts = summarise(sessions, [], []).verdicts
    assert [(v.fps, v.preset, v.rejected.k) for v in verdicts] == [
        (8.0, "standard", 0), (2.0, "standard", 1), (8.0, "strict", 1),
    ]  # fmt: skip


def test_attacks_are_counted_by_species_and_the_worst_is_quoted() -> None:
    still = [outcome("attack", species="still", person=str(i)) for i in range(10)]
    seen_through = outcome("attack", species="photo_swap", state="completed", is_live=False)
    swaps = [passed("attack", species="photo_swap"), seen_through]
    genuine = [passed("bona_fide", seconds=s) for s in (3.0, 5.0)] + [outcome("bona_fide")]
    (verdicts,) = summarise([*still, *swaps, *genuine], [], []).verdicts
    by = {s.name: s for s in verdicts.species}
    assert (by["still"].n, by["still"].targets, by["still"].accepted, by["still"].upper) == (10, 10, 0, 0.3)
    assert (by["photo_swap"].completed, by["photo_swap"].accepted, by["photo_swap"].apcer) == (2, 1, 0.5)
    assert verdicts.worst is by["photo_swap"]
    assert (verdicts.rejected.k, verdicts.rejected.n, verdicts.not_completed, verdicts.seconds) == (1, 3, 1, 4.0)


def test_of_species_without_an_accepted_attack_the_least_tried_is_the_worst() -> None:
    attacks = [outcome("attack", species="still")] * 9 + [outcome("attack", species="replay")] * 3
    (verdicts,) = summarise(attacks, [], []).verdicts
    assert verdicts.worst is not None
    assert verdicts.worst.name == "replay"


#: A second and a half at rest, then a smile within half a second, held.
CLIP = Segment(Path("a.mp4"), 10.0, 14.0, 12.4)


@pytest.fixture
def smiling() -> Signals:
    def width(second: float) -> float:
        return 0.8 + 0.4 * min(1.0, max(0.0, (second - 1.5) / 0.5))

    frames = [Frame(str(i), 10 + i / 15, seen(mouth_width=width(i / 15))) for i in range(60)]
    return Signals(CLIP.path, frames, [Label("ann", C.SMILE, CLIP)], [CLIP])


def test_the_onset_is_where_the_signal_leaves_rest(smiling: Signals) -> None:
    assert onset(smiling, C.SMILE, CLIP) == pytest.approx(11.6, abs=0.08)
    assert onset(smiling, C.SMILE, Segment(CLIP.path, 10.0, 14.0, 12.4, onset=11.2)) == 11.2


def test_a_hit_is_timed_from_the_onset_of_its_clips_first_showing(smiling: Signals) -> None:
    hit = passed("hit", at=2.1, clip=("a.mp4", 10.0, 14.0))
    late = passed("hit", at=6.1, clip=("a.mp4", 10.0, 14.0), lap=1)
    early = passed("hit", at=0.6, clip=("a.mp4", 10.0, 14.0))
    (rates,) = summarise([hit, late, early], [smiling], []).gestures
    assert rates.since_onset["SMILE"] == pytest.approx([0.5, 4.5, -1.0], abs=0.08)
    assert rates.early == 1
    assert rates.median() == rates.median("SMILE") == pytest.approx(2.5, abs=0.08)


def test_the_reach_is_what_is_held_away_from_neutral(smiling: Signals) -> None:
    assert reach(smiling, C.SMILE, CLIP) == pytest.approx(0.4, abs=0.02)
    assert reach(smiling, C.TURN_LEFT, CLIP) == pytest.approx(0.0, abs=0.1)


def test_reaches_are_told_apart_by_label(smiling: Signals) -> None:
    reaches = {r.gesture: r for r in summarise([], [smiling], []).reach}
    assert (len(reaches["SMILE"].done), len(reaches["SMILE"].otherwise)) == (1, 0)
    assert (len(reaches["LOOK_UP"].done), len(reaches["LOOK_UP"].otherwise)) == (0, 1)
