"""The scores of the operator's own model: which frames are asked about, and what is found."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.liveness.challenge import ChallengeType
from shared.liveness.evidence import Code
from shared.liveness.frame import Frame
from shared.liveness.passive import LEAST, LOST_AFTER, MOST_SAMPLES, Passive
from shared.liveness.session import Session
from tests.unit.liveness.people import T0, observe, without_face
from tests.unit.liveness.weights import WEIGHTS, everywhere


def seen(passive: Passive, seconds: float, rate: float = 8.0) -> list[str]:
    """The frames asked about, of so many seconds; each score comes in at once."""
    asked = []
    for i in range(int(seconds * rate)):
        passive.see(Frame(str(i), T0 + i / rate, observe()))
        if passive.awaits(str(i)):
            asked.append(str(i))
            passive.take(str(i), 0.1)
    return asked


def test_faces_are_looked_at_now_and_then() -> None:
    assert seen(Passive(), 2.0) == ["0", "4", "8", "12"]
    assert 20 < len(seen(Passive(), 60.0)) < 60
    assert len(seen(Passive(), 3600.0)) == MOST_SAMPLES


def test_a_frame_without_a_usable_face_is_not() -> None:
    passive = Passive()
    passive.see(Frame("x", T0, without_face()))
    assert passive.samples == []


def test_a_worker_that_does_not_come_along_is_not_flooded() -> None:
    passive = Passive()
    for i in range(16):
        passive.see(Frame(str(i), T0 + i / 8, observe()))
    assert len(passive.samples) == 4


def test_the_finding_is_the_median_of_enough_scores() -> None:
    passive = Passive()
    for i, score in enumerate([0.9, 0.1, 0.3]):
        assert passive.findings() == []
        frame = Frame(str(i), T0 + i, observe())
        passive.see(frame)
        assert passive.waits(frame.at)
        passive.take(str(i), score)
        passive.take(str(i), 1.0)  # a second delivery
    assert [(f.code, f.score, f.challenge) for f in passive.findings()] == [(Code.PASSIVE, 0.3, None)]
    assert not passive.waits(T0 + LEAST)


def test_what_is_lost_is_not_waited_for() -> None:
    passive = Passive()
    passive.see(Frame("x", T0, observe()))
    assert passive.waits(T0 + LOST_AFTER)
    assert not passive.waits(T0 + LOST_AFTER + 0.1)


@pytest.mark.parametrize(("score", "bits"), [(0.0, 1.0), (1.0, -8.0), (None, None)])
def test_it_goes_into_the_verdict(score: float | None, bits: float | None) -> None:
    weighing = replace(WEIGHTS, curves={**WEIGHTS.curves, Code.PASSIVE: everywhere((0.2, 0.8), (1.0, -8.0))})
    session = Session.open("s", [ChallengeType.SMILE], timeout_seconds=5, at=T0, ttl=60, passive=score is not None)
    for i in range(12):
        session.submit(str(i), observe(), T0 + i / 8, weighing=weighing)
        if score is not None:
            assert session.awaits_score(str(i)) is (i % 4 == 0)
            session.take_score(str(i), score)
    verdict = session._verdict(None, weighing)
    assert [f.bits for f in verdict.findings if f.code is Code.PASSIVE] == ([] if bits is None else [bits])
