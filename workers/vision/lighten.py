"""Dark pictures made lighter, for the networks to see by: they were trained on faces in good light."""

from __future__ import annotations

import cv2

from workers.vision.landmarks import Picture, as_picture

#: Mean grey level under which a picture is made lighter, and the level that it is brought to.
_DARK, _LIT = 60.0, 100.0
#: The most that levels are multiplied by: beyond it there is more noise than face.
_MOST = 8.0
#: Every so many pixels are looked at for the mean.
_STRIDE = 4


def lightened(picture: Picture, part: tuple[float, float, float, float]) -> Picture:
    """The picture itself, or, where a part of it is dark, a lighter one.

    part: left, top, right, bottom in pixels; as much of it as lies within the picture.
    """
    left, top, right, bottom = (max(0, int(edge)) for edge in part)
    sample = picture[top:bottom:_STRIDE, left:right:_STRIDE]
    level = float(sample.mean()) if sample.size else 0.0
    if level >= _DARK:
        return picture
    return as_picture(cv2.convertScaleAbs(picture, alpha=min(_MOST, _LIT / max(level, 1.0))))
