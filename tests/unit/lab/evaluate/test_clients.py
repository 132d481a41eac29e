"""Clients that send a camera's pictures in their own ways."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import numpy as np
import pytest

from ops.lab.evaluate.clients import CLIENTS, PAUSE, STEADY, sent_by
from ops.lab.evaluate.player import Source
from ops.lab.evaluate.video import Shot, decoded, encoded

FPS = 8.0
PICTURE = encoded(np.full((48, 64, 3), 130, np.uint8))


def source(heard: list[object], frames: int = 400) -> Source:
    for number in range(frames):
        answer = yield Shot(PICTURE, second=number / FPS)
        heard.append(answer)


def sent(client: str, seed: int = 3, frames: int = 400) -> list[Shot | None]:
    return list(sent_by(client, source([], frames), FPS, Random(seed)))


def test_a_steady_client_sends_each_picture_in_its_time() -> None:
    assert sent(STEADY) == list(source([]))


@pytest.mark.parametrize("client", CLIENTS)
def test_answers_reach_the_actor(client: str) -> None:
    heard: list[object] = []
    playing = sent_by(client, source(heard), FPS, Random(3))
    next(playing)
    for answer in range(9):
        playing.send(answer)  # type: ignore[arg-type] # anything will do
    assert heard == list(range(9))


@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_is_the_same_in_every_run(client: str) -> None:
    assert sent(client) == sent(client)
    assert (sent(client) == sent(client, seed=4)) == (client in (STEADY, "gaps", "picky"))


@pytest.mark.parametrize("client", CLIENTS)
def test_what_the_actor_leaves_out_is_not_sent(client: str) -> None:
    def nothing() -> Source:
        for _ in range(9):
            yield None

    assert list(sent_by(client, nothing(), FPS, Random(3))) == [None] * 9


def test_a_picky_client_sends_what_moves_and_seldom_what_stands() -> None:
    def photo_that_moves() -> Source:
        for number in range(80):
            moved = np.full((48, 64, 3), 130, np.uint8)
            if 32 <= number < 40:
                moved[:, : 8 * (number - 31)] = 90
            yield Shot(encoded(moved), second=number / FPS)

    shots = list(sent_by("picky", photo_that_moves(), FPS, Random(3)))
    assert None not in shots[32:41]
    at_rest = [number for number, shot in enumerate(shots[:32]) if shot]
    assert {later - earlier for earlier, later in pairwise(at_rest)} == {4}


def test_a_line_that_drops_loses_one_frame_in_seven() -> None:
    shots = sent("drops")
    assert 40 < shots.count(None) < 80
    # What arrives is what was sent in that place.
    assert all(shot is None or shot.second == number / FPS for number, shot in enumerate(shots))


def test_frames_of_a_late_line_keep_their_order() -> None:
    shots = sent("late")
    assert None not in shots
    late = np.array([shot.late for shot in shots if shot])
    arrivals = np.arange(len(late)) / FPS + late
    assert all(a < b for a, b in pairwise(arrivals))
    assert (late >= 0).all()
    assert late.max() == PAUSE
    assert 0.03 < np.median(late) < 0.08
    assert 5 < (late > 0.3).sum() < 40
    # Those that have waited for a pause to end arrive in a burst.
    assert np.diff(arrivals).min() < 0.02


def test_an_encoder_with_gaps_gives_a_black_frame_after_every_fifth() -> None:
    levels = [round(decoded(shot.data).mean()) for shot in sent("gaps", frames=18) if shot]
    assert levels == ([130] * 5 + [0]) * 3
