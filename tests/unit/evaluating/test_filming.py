"""Recordings as other cameras and rooms would show them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from ops.evaluating.filming import AS_RECORDED, FILMINGS, filmed
from ops.evaluating.video import Shot, decoded, encoded

PICTURE = np.repeat(np.linspace(40, 220, 320, dtype=np.uint8)[None, :, None], 240, axis=0).repeat(3, axis=2)


def source(heard: list[object]) -> Iterator[Shot]:
    """Two pictures, and what was answered to them."""
    for number in range(2):
        answer = yield Shot(encoded(PICTURE), float(number), lap=3)
        heard.append(answer)


def take(filming: str) -> list[np.ndarray]:
    shots = list(filmed(source([]), filming))
    assert [(s.second, s.lap) for s in shots] == [(0.0, 3), (1.0, 3)]
    return [decoded(s.data).astype(int) for s in shots]


def test_as_it_was_recorded_not_a_byte_changes():
    assert [s.data for s in filmed(source([]), AS_RECORDED)] == [encoded(PICTURE)] * 2


@pytest.mark.parametrize("filming", FILMINGS)
def test_answers_reach_the_actor(filming):
    """Who acts on what is asked for must go on hearing it."""
    heard: list[object] = []
    played = filmed(source(heard), filming)
    next(played)
    played.send("an answer")  # type: ignore[arg-type] # anything will do
    assert heard == ["an answer"]


def test_each_filming_is_what_it_says():
    """Darker, mirrored, smaller, and with less detail."""
    plain = take(AS_RECORDED)[0]
    assert take("dark")[0].mean() < 0.3 * plain.mean()
    assert np.abs(take("mirrored")[0] - plain[:, ::-1]).mean() < 2
    assert take("half")[0].shape == (120, 160, 3)
    assert (np.abs(take("far")[0] - 90).max(axis=(1, 2)) < 12).mean() > 0.3, "a wall above and below"
    stripes = np.tile(np.array([40, 40, 220, 220], np.uint8), (240, 80))[:, :, None].repeat(3, axis=2)
    blur = FILMINGS["blurred"]
    assert blur is not None
    assert blur(stripes).std() < 0.6 * stripes.std()
    assert np.abs(take("tilted")[0] - plain).mean() > 1


def test_the_noise_of_the_dark_is_the_same_in_every_run():
    """Figures must not depend on chance."""
    assert (take("dark")[0] == take("dark")[1]).all()
