"""One photo that is animated: its fine detail stays."""

from __future__ import annotations

import pytest

from shared.db.codec import decode_observation, encode_observation
from shared.liveness.challenge import ChallengeType
from shared.liveness.evidence import SPECIES, Code, examine
from shared.liveness.evidence.texture import texture
from shared.liveness.frame import Frame
from tests.unit.liveness.people import T0, observe


def film(details: list[float | None]) -> list[Frame]:
    """Frames ten a second, with what of the detail has changed in each."""
    return [Frame(str(i), T0 + i / 10, observe(detail=detail)) for i, detail in enumerate(details)]


def test_the_less_of_the_detail_changes_the_more_it_is_one_texture() -> None:
    scores = [texture(film([detail] * 20), T0) for detail in (0.0, 0.1, 0.4, 1.5)]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] == 1
    assert scores[-1] < 0.2
    assert texture(film([0.2] * 20), T0) == pytest.approx(0.5)


def test_a_photo_comes_back_to_its_detail_and_a_face_never_does() -> None:
    photo = texture(film([0.05, 0.05, 0.6, 0.6, 0.6] * 4), T0)
    alive = texture(film([0.05, 0.6, 0.6, 0.6, 0.6] * 4), T0)
    assert photo == pytest.approx(0.8)
    assert alive < 0.3


def test_little_that_was_compared_is_no_evidence() -> None:
    assert texture([], T0) is None
    assert texture(film([0.1] * 3 + [None] * 17), T0) is None


def test_a_quick_answer_is_judged_with_what_came_before_it() -> None:
    frames = film([0.1] * 20)
    assert texture(frames, frames[-1].at) == texture(frames, T0)


def test_it_is_among_the_findings() -> None:
    found = examine(film([0.0] * 20), [ChallengeType.SMILE], since=T0, met=T0 + 1, opening_until=T0 + 1)
    assert [f.score for f in found if f.code is Code.TEXTURE] == [1]
    assert SPECIES[Code.TEXTURE] == "animated_photo"


def test_rows_from_before_it_was_measured_are_read() -> None:
    seen = observe(detail=None)
    row = encode_observation(seen)
    older = row.replace(b"\xa6detail\xc0", b"").replace(bytes([row[0], row[1], row[2]]), _one_less(row), 1)
    assert older != row
    assert decode_observation(older) == seen


def _one_less(row: bytes) -> bytes:
    """The head of a map of up to 65535 fields, with a field less."""
    assert row[0] == 0xDE, "MessagePack's map with a count of 16 bits"
    return bytes([0xDE]) + (int.from_bytes(row[1:3]) - 1).to_bytes(2)
