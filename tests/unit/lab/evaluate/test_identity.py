"""The comparison of faces when no more frames come."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from ops.lab.evaluate.identity import DELAY, Both, NoIdentity
from shared.evidence_model import read_model
from shared.liveness.challenge import ChallengeType
from shared.liveness.evidence import Code
from shared.liveness.session import Session
from tests.unit.lab.evaluate.fitting_sessions import population
from tests.unit.lab.evaluate.helpers import seen
from tests.unit.liveness.people import T0, observe
from tests.unit.vision.made_model import make_model
from workers.offline import OfflineIdentity, OfflinePassive
from workers.vision.descriptor import CHIP_SIDE, encode_chip


class Asking:
    """A session that wants the face of one frame compared."""

    def __init__(self) -> None:
        self.identity = SimpleNamespace(samples=[SimpleNamespace(frame_id="3", at=7.0)])
        self.told: list[tuple[str, float, float]] = []

    def awaits_distance(self, frame_id: str) -> bool:
        return not self.told

    def take_distance(self, frame_id: str, distance: float, at: float) -> None:
        self.told.append((frame_id, distance, at))


@pytest.fixture
def identity() -> OfflineIdentity:
    chip = encode_chip(np.zeros((CHIP_SIDE, CHIP_SIDE, 3), np.uint8))
    vision = SimpleNamespace(look=lambda *_: SimpleNamespace(chip=lambda: chip))
    describer = SimpleNamespace(describe=lambda _: np.ones(4, np.float32) / 2)
    return OfflineIdentity(vision, describer, delay=DELAY)


def test_a_comparison_under_way_comes_in_though_the_client_is_silent(identity: OfflineIdentity) -> None:
    session = Asking()
    identity.saw(session, b"a", seen(), None, 7.0)
    identity.wait(session, 7.1)
    assert session.told == []
    identity.wait(session, 9.0)
    identity.wait(session, 9.5)
    assert session.told == [("3", pytest.approx(0, abs=1e-3), 7.0 + DELAY)]


def test_a_comparison_of_one_session_is_not_told_to_another(identity: OfflineIdentity) -> None:
    one, other = Asking(), Asking()
    identity.saw(one, b"a", seen(), None, 7.0)
    identity.wait(other, 9.0)
    assert other.told == []


def test_the_operators_own_model_scores_a_session_offline(tmp_path: Path) -> None:
    """As the identity worker does: the finding is among those that a fit sees."""
    face = observe(box=(0.2, 0.2, 0.5, 0.5))
    bright = np.full((200, 200, 3), 250, np.uint8)
    vision = SimpleNamespace(look=lambda *_: SimpleNamespace(observation=face, picture=bright))
    both = Both(NoIdentity(), OfflinePassive(vision, read_model(make_model(tmp_path)), delay=DELAY))
    session = Session.open("s", [ChallengeType.BLINK], timeout_seconds=5, at=T0, ttl=60, passive=True)
    for i in range(9):
        at = T0 + i / 8
        result = session.submit(str(i), face, at)
        both.saw(session, b"%d" % i, face, result, at)
    assert session.passive is not None
    assert session.passive.findings() == []
    both.wait(session, T0 + 2)
    assert [(f.code, f.score) for f in session.passive.findings()] == [(Code.PASSIVE, pytest.approx(0, abs=0.01))]


def test_a_fit_finds_the_curve_of_the_operators_own_model() -> None:
    pytest.importorskip("scipy", reason="requirements/lab.txt brings it")
    from ops.lab.evaluate.fitting.fit import DECISIVE, fit
    from ops.lab.evaluate.fitting.samples import samples_of

    outcomes = population()
    for place, outcome in enumerate(outcomes):
        score = 0.1 + 0.001 * (place % 7) if outcome.kind == "bona_fide" else 0.8 - 0.001 * (place % 7)
        outcome.findings.append(("passive", score, None))
    curves = fit(samples_of(outcomes, DECISIVE)).curves[Code.PASSIVE]
    assert curves
    for curve in curves.values():
        assert curve(0.1) > 0 > curve(0.8)
