"""The comparison of faces when no more frames come."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from ops.lab.evaluate.identity import DELAY
from tests.unit.lab.evaluate.helpers import seen
from workers.offline import OfflineIdentity
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
