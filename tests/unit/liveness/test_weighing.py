"""How findings become a verdict."""

from __future__ import annotations

import pytest

from shared.liveness.challenge import ChallengeType
from shared.liveness.evidence import LIMITS, Code, Finding, Preset, against, examine
from shared.liveness.frame import Frame
from tests.unit.liveness.people import T0, observe

STIFF = LIMITS[Preset.STANDARD][Code.STIFF]
FLAT = LIMITS[Preset.STANDARD][Code.FLAT]


def found(code: Code, *scores: float) -> list[Finding]:
    """One finding a challenge."""
    return [Finding(code, score, position) for position, score in enumerate(scores)]


@pytest.mark.parametrize(("scores", "doubted"), [((STIFF,), True), ((STIFF, 1.0), True), ((1.0, STIFF - 0.01), False)])
def test_a_face_that_lived_in_one_challenge_is_no_sheet_in_another(scores, doubted):
    """Some people blink and move nothing else; the next challenge shows that they live."""
    assert bool(against(found(Code.STIFF, *scores), Preset.STANDARD)) is doubted


def test_a_photo_for_one_challenge_is_not_outweighed_by_another():
    """What a thing shows once is not undone by what a person shows later."""
    assert [f.challenge for f in against(found(Code.FLAT, FLAT, 0.0), Preset.STANDARD)] == [0]


@pytest.mark.parametrize("preset", Preset)
@pytest.mark.parametrize(
    ("flat", "stiff", "doubted"),
    [
        (0.7, 0.55, True),
        (0.55, 0.7, True),
        (0.6, 0.3, False),
        (0.9, 0.45, False),
        (0.45, 0.9, False),
        (0.9, 0.0, False),
    ],
)
def test_half_flat_and_half_stiff_is_a_sheet(flat, stiff, doubted, preset):
    """Two judges who see the same by different signs; each must see half of it. In shares of their limits."""
    limits = LIMITS[preset]
    findings = [
        Finding(Code.FLAT, flat * limits[Code.FLAT], 0),
        Finding(Code.STIFF, stiff * limits[Code.STIFF], 0),
    ]
    assert [f.code for f in against(findings, preset)] == [Code.FLAT] * doubted


def test_half_proofs_of_two_challenges_are_none():
    """A head turned away in one and a calm face in the next: that is anybody. And who has plainly lived is no sheet."""
    flat, stiff = 0.8 * FLAT, 0.8 * STIFF
    assert not against([Finding(Code.FLAT, flat, 0), Finding(Code.STIFF, stiff, 1)], Preset.STANDARD)
    both = [Finding(Code.FLAT, flat, 0), Finding(Code.STIFF, stiff, 0)]
    assert against(both, Preset.STANDARD)
    assert not against([*both, Finding(Code.STIFF, 0.0, 1)], Preset.STANDARD)


def test_a_challenge_too_short_for_a_sample_has_the_ones_before_it():
    """Rim and stripes are looked for each half second; an answer may be quicker."""
    frames = [Frame(str(i), T0 + i / 8, observe(rim=0.9 if i % 5 == 0 else None)) for i in range(12)]
    when = {"since": T0 + 9 / 8, "opening_until": T0 + 3}
    scores = {f.code: f.score for f in examine(frames, [ChallengeType.BLINK], **when)}
    assert scores[Code.SCREEN] == 0.9
    alone = {f.code for f in examine(frames[9:], [ChallengeType.BLINK], **when)}
    assert Code.SCREEN not in alone
