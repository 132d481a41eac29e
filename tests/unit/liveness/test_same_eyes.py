"""Eyes that come back to what they were, as those of a photo do."""

from __future__ import annotations

import pytest

from shared.db.codec import decode_observation, encode_observation
from shared.liveness.challenge import ChallengeType
from shared.liveness.evidence import SPECIES, Code, examine
from shared.liveness.evidence.same_eyes import same_eyes
from shared.liveness.frame import Frame
from tests.unit.liveness.people import T0, observe


def film(changes: list[float | None]) -> list[Frame]:
    """Frames ten a second, with how much the eyes have changed in each."""
    return [Frame(str(i), T0 + i / 10, observe(eye_change=change)) for i, change in enumerate(changes)]


def test_the_less_the_eyes_change_the_more_they_are_the_same() -> None:
    scores = [same_eyes(film([change] * 20), T0) for change in (0.0, 0.01, 0.05, 0.3)]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] == 1
    assert scores[-1] < 0.1
    assert same_eyes(film([0.02] * 20), T0) == pytest.approx(0.5)


def test_a_blink_of_a_photo_does_not_hide_that_its_eyes_came_back() -> None:
    photo = same_eyes(film([0.005, None, 0.005, None, 0.3, None, 0.2, None, 0.005, None] * 2), T0)
    alive = same_eyes(film([0.005, None, 0.1, None, 0.3, None, 0.2, None, 0.1, None] * 2), T0)
    assert photo == pytest.approx(0.8)
    assert alive < 0.2


def test_few_comparisons_are_no_evidence() -> None:
    assert same_eyes([], T0) is None
    assert same_eyes(film([0.01] * 2 + [None] * 18), T0) is None


def test_a_quick_answer_is_judged_with_what_came_before_it() -> None:
    frames = film([0.01] * 20)
    assert same_eyes(frames, frames[-1].at) == same_eyes(frames, T0)


def test_it_is_among_the_findings() -> None:
    found = examine(film([0.0] * 20), [ChallengeType.BLINK], since=T0, met=T0 + 1, opening_until=T0 + 1)
    assert [f.score for f in found if f.code is Code.SAME_EYES] == [1]
    assert SPECIES[Code.SAME_EYES] == "animated_photo"


def test_rows_from_before_it_was_measured_are_read() -> None:
    seen = observe(eye_change=None)
    row = encode_observation(seen)
    assert row[0] == 0xDE, "MessagePack's map with a count of 16 bits"
    one_less = (int.from_bytes(row[1:3]) - 1).to_bytes(2)
    older = row[:1] + one_less + row[3:].replace(b"\xaaeye_change\xc0", b"")
    assert len(older) == len(row) - len(b"\xaaeye_change\xc0")
    assert decode_observation(older) == seen
