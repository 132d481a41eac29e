"""Recordings as other cameras and rooms would show them."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from ops.lab.evaluate.filming import AS_RECORDED, FILMINGS, filmed
from ops.lab.evaluate.video import Shot, decoded, encoded

STRIPES = np.tile(np.array([40, 40, 220, 220], np.uint8), (240, 80))[:, :, None].repeat(3, axis=2)
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


def test_what_is_left_out_is_left_out_of_every_filming():
    def sparse() -> Iterator[Shot | None]:
        yield None
        yield Shot(encoded(PICTURE), late=0.1)

    nothing, shot = filmed(sparse(), "mirrored")
    assert nothing is None
    assert shot is not None
    assert shot.late == 0.1


def test_each_filming_is_what_it_says():
    """Darker, mirrored, smaller, and with less detail."""
    plain = take(AS_RECORDED)[0]
    assert take("dark")[0].mean() < 0.3 * plain.mean()
    assert np.abs(take("mirrored")[0] - plain[:, ::-1]).mean() < 2
    assert take("half")[0].shape == (120, 160, 3)
    blur = FILMINGS["blurred"]
    assert blur is not None
    assert blur(STRIPES).std() < 0.6 * STRIPES.std()
    assert np.abs(take("tilted")[0] - plain).mean() > 1


def test_from_further_away_everything_is_smaller_and_the_room_goes_on_out_of_focus():
    """Without an edge around the picture: that would be a screen's rim."""
    plain, away = take(AS_RECORDED)[0], take("far")[0]
    assert away.shape == plain.shape
    # 60 % of 320 by 240 pixels, in the middle.
    places = np.arange(80, 240)
    was = np.interp((places - 64) / 0.6, np.arange(320), plain[120, :, 0])
    assert away[60:180, 80:240, 0] == pytest.approx(np.tile(was, (120, 1)), abs=4)
    for way in (0, 1):
        assert np.abs(np.diff(away, axis=way)).max() < 8, "no edge anywhere"
    far = FILMINGS["far"]
    assert far is not None
    seen = far(STRIPES)
    inside, outside = seen[60:180, 80:240], np.concatenate([seen[:30], seen[-30:]])
    assert outside.std() < 0.1 * inside.std(), "out of focus"
    assert outside.mean() == pytest.approx(inside.mean(), abs=10), "of the same colours"


def test_the_noise_of_the_dark_is_the_same_in_every_run():
    """Figures must not depend on chance."""
    assert (take("dark")[0] == take("dark")[1]).all()


def test_a_compressed_picture_is_sent_in_fewer_bytes():
    """The bytes that are sent are those of the low quality, not a good copy of a bad picture."""
    plain, compressed = (next(filmed(source([]), filming)).data for filming in (AS_RECORDED, "compressed"))
    noisy = np.random.default_rng(3).integers(0, 255, (120, 160, 3)).astype(np.uint8)
    assert compressed == encoded(decoded(plain), 35)
    assert len(encoded(noisy, 35)) < 0.6 * len(encoded(noisy))


@pytest.mark.parametrize(
    ("filming", "size", "became"),
    [
        ("small", (640, 480), (176, 144)),
        ("small", (480, 640), (144, 176)),
        ("small", (480, 480), (176, 144)),
        ("portrait", (640, 480), (270, 480)),
        ("portrait", (361, 640), (360, 640)),
        ("portrait", (300, 640), (360, 640)),
    ],
)
def test_small_and_upright_cameras_keep_the_middle(filming, size, became):
    width, height = size
    picture = np.full((height, width, 3), 100, np.uint8)
    # A disc in the middle stays one, and stays there.
    cv2.circle(picture, (width // 2, height // 2), height // 5, (220, 220, 220), -1)
    film = FILMINGS[filming]
    assert film is not None
    seen = film(picture)
    assert seen.shape[1::-1] == became
    disc = np.argwhere(seen[..., 0] > 160)
    assert disc.mean(axis=0) == pytest.approx(np.array([became[1], became[0]]) / 2, abs=1.5)
    down, across = np.ptp(disc, axis=0)
    assert down == pytest.approx(across, rel=0.03, abs=1.5)
