"""Pictures out of recordings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ops.evaluating.manifest import ManifestError, Segment
from ops.evaluating.video import decoded, picture_at, pictures, reel, shots


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
    assert len(list(pictures(greys, 1.0, 2.0))) == 20


def test_a_segment_beyond_the_end_is_told(greys: Path) -> None:
    with pytest.raises(ManifestError, match="is over before"):
        reel(Segment(greys, 10.0, 12.0))


def test_what_is_no_video_is_told(tmp_path: Path) -> None:
    path = tmp_path / "no.avi"
    path.write_text("no video")
    with pytest.raises(ManifestError, match="not a video"):
        list(pictures(path, 0, 1))
