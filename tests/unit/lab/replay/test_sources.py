from __future__ import annotations

import cv2
import numpy as np
import pytest

from liveness_client import Reply
from ops.lab.replay.sources import LONGEST, Drawing, SourceError, Video, encoded


def level(jpeg: bytes) -> float:
    return float(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE).mean())


def test_a_video_plays_in_its_own_time_and_begins_again(video):
    source = Video(video)
    levels = [level(source.frame(at)) for at in (0.0, 0.1, 0.45, 0.52, 0.64)]
    assert levels == pytest.approx([40, 80, 220, 40, 80], abs=4)
    source.close()


def test_a_video_may_end(video):
    source = Video(video, once=True)
    assert source.frame(0.0)
    assert source.frame(0.49)
    assert source.frame(0.6) is None


def test_what_is_no_video_is_told_plainly(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("no video")
    with pytest.raises(SourceError, match="not a video"):
        Video(path)


def test_large_pictures_are_sent_smaller():
    jpeg = encoded(np.zeros((2160, 3840, 3), np.uint8))
    assert cv2.imdecode(np.frombuffer(jpeg, np.uint8), 1).shape == (LONGEST * 9 // 16, LONGEST, 3)


def test_the_drawing_does_what_it_hears(models_dir):
    source = Drawing(models_dir, 8.0)
    still = source.frame(0.0)
    source.hear(Reply("OPEN_MOUTH", False, 0.0, 1, False, None, "in_progress"))
    frames = [source.frame(at) for at in np.arange(0.125, 2.6, 0.125)]

    def mouth(jpeg: bytes) -> np.ndarray:
        return cv2.imdecode(np.frombuffer(jpeg, np.uint8), 1)[255:310, 280:360].astype(int)

    changes = [np.abs(mouth(f) - mouth(still)).mean() for f in frames]
    assert changes[0] < 8
    assert max(changes) > 2 * changes[0]
    source.close()


def test_the_drawing_says_which_model_it_lacks(tmp_path):
    with pytest.raises(SourceError, match=r"face_landmark\.tflite"):
        Drawing(tmp_path, 8.0)
