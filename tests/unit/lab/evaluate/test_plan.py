"""What a run consists of."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ops.lab.evaluate.attacks import SPECIES
from ops.lab.evaluate.manifest import Manifest, Person, Segment
from ops.lab.evaluate.plan import Wanted, plan
from shared.liveness.challenge import ChallengeType

WANTED = Wanted(["gestures", "bona_fide", "attacks"], ["mesh", "dlib"], [8.0, 15.0], [2.0, 3.0], [])


@pytest.fixture
def manifest() -> Manifest:
    segment = Segment(Path("a.mp4"), 0, 2, 1)
    ann = Person("ann", (segment,), {ChallengeType.SMILE: (segment,)})
    return Manifest((ann,), (replace(ann, name="screen"),), (replace(ann, name="film"),), ())


def test_gestures_and_whole_sessions_have_rates_of_their_own(manifest: Manifest) -> None:
    jobs = plan(manifest, WANTED)
    for part, rates in (("gestures", [8.0, 15.0]), ("bona_fide", [2.0, 3.0])):
        assert [(j.engine, j.fps) for j in jobs if j.part == part] == [(e, r) for e in ("mesh", "dlib") for r in rates]


def test_attacks_of_every_species_are_played_at_each_rate_on_the_first_engine(manifest: Manifest) -> None:
    attacks = [j for j in plan(manifest, WANTED) if j.part == "attacks"]
    assert {j.engine for j in attacks} == {"mesh"}
    made = [(name, "ann") for name in SPECIES]
    expected = [*made, ("screen_replay", "screen"), ("generated", "film")]
    assert [(j.species, j.person, j.fps) for j in attacks] == [(*one, rate) for one in expected for rate in (2.0, 3.0)]


@pytest.mark.parametrize(("species", "people"), [("generated", ["film"]), ("still", ["ann"])])
def test_only_the_species_asked_for_are_played(manifest: Manifest, species: str, people: list[str]) -> None:
    jobs = plan(manifest, replace(WANTED, parts=["attacks"], session_rates=[8.0], species=[species]))
    assert [(j.species, j.person) for j in jobs] == [(species, person) for person in people]
