"""Pictures out of recordings."""

from __future__ import annotations

import struct
from pathlib import Path

import cv2
import numpy as np
import pytest

from ops.lab.evaluate.manifest import ManifestError, Segment
from ops.lab.evaluate.video import decoded, picture_at, pictures, reel, shots


def test_a_segment_is_sampled_at_the_rate_asked_for(greys: Path) -> None:
    segment = Segment(greys, 1.0, 3.0)
    seconds = [shot.second for shot in shots(segment, 10)]
    assert seconds == pytest.approx(np.arange(1.0, 3.0, 0.1))


def test_a_picture_is_the_one_of_its_second(greys: Path) -> None:
    shot = next(s for s in shots(Segment(greys, 1.0, 3.0), 10) if s.second == pytest.approx(2.0))
    assert decoded(shot.data).mean() == pytest.approx(40 + 2 * 40, abs=2)
    assert picture_at(Segment(greys, 1.0, 3.0), 2.5).mean() == pytest.approx(40 + 2 * 50, abs=2)


def test_each_lap_is_on_another_grid(greys: Path) -> None:
    segment = Segment(greys, 0.0, 2.0)
    first, second = ([s.second for s in shots(segment, 5, lap)] for lap in (0, 1))
    assert not set(first) & set(second)
    assert {s.lap for s in shots(segment, 5, 1)} == {1}


def test_all_pictures_of_a_segment_are_there_without_a_rate(greys: Path) -> None:
    assert len(list(pictures(Segment(greys, 1.0, 2.0)))) == 20


def test_a_segment_beyond_the_end_is_told(greys: Path) -> None:
    with pytest.raises(ManifestError, match="is over before"):
        reel(Segment(greys, 10.0, 12.0))


def test_what_is_no_video_is_told(tmp_path: Path) -> None:
    path = tmp_path / "no.avi"
    path.write_text("no video")
    with pytest.raises(ManifestError, match="not a video"):
        list(pictures(Segment(path, 0, 1)))


@pytest.fixture
def sideways(tmp_path: Path) -> Path:
    """A recording of 160 by 120 pixels, dark at its top, that says of itself that it is to be turned by 90 degrees."""
    frame = np.full((120, 160, 3), 200, np.uint8)
    frame[:40] = 20
    path = tmp_path / "sideways.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 20, (160, 120))
    for _ in range(20):
        writer.write(frame)
    writer.release()
    data = bytearray(path.read_bytes())
    # The matrix of the track's header, in fixed point.
    matrix = data.index(b"tkhd") + 44
    data[matrix : matrix + 36] = struct.pack(">9i", 0, 1 << 16, 0, -1 << 16, 0, 0, 120 << 16, 0, 1 << 30)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("turn", "shape", "dark"),
    [
        (None, (160, 120, 3), "right"),
        (0, (120, 160, 3), "top"),
        (90, (160, 120, 3), "right"),
        (-90, (160, 120, 3), "left"),
        (180, (120, 160, 3), "bottom"),
    ],
)
def test_a_recording_is_turned_as_it_says_or_as_the_manifest_says(sideways: Path, turn, shape, dark) -> None:
    _, picture = next(pictures(Segment(sideways, 0, 1, turn=turn)))
    edges = {"top": picture[:20], "bottom": picture[-20:], "left": picture[:, :20], "right": picture[:, -20:]}
    assert picture.shape == shape
    assert min(edges, key=lambda edge: edges[edge].mean()) == dark
