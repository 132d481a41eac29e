"""From the bytes of a JPEG or PNG to an upright colour picture of a working size."""

from __future__ import annotations

import cv2
import numpy as np

from shared import image_header
from workers.vision.errors import BadImage
from workers.vision.landmarks import Picture, as_picture

#: Longer side in pixels of the picture that is measured; what is larger is made smaller.
WORKING_SIDE = 640
#: Shortest side in pixels in which a face can be judged at all.
LEAST_SIDE = 64


def decode(data: bytes, max_pixels: int) -> Picture:
    """The picture in `data`: blue, green, red, 8 bits, turned as its EXIF orientation says, at most WORKING_SIDE long.

    Raises BadImage for what is not a whole JPEG or PNG of a usable size. The size is read from the header first, so that
    a picture of too many pixels is never decoded.
    """
    kind = image_header.kind(data)
    if kind is None:
        raise BadImage(
            "not_an_image", "The bytes are not a JPEG or PNG picture. Send the camera frame as one of these."
        )
    size = image_header.size(data)
    if size is None:
        raise BadImage("truncated_image", "The picture has no readable header. Send the whole file.")
    width, height = size
    if width * height > max_pixels:
        raise BadImage(
            "too_many_pixels",
            f"The picture has {width} × {height} pixels, more than {max_pixels}. Send frames of about 640 × 480.",
        )
    if min(width, height) < LEAST_SIDE:
        raise BadImage(
            "image_too_small",
            f"The picture has {width} × {height} pixels. Both sides must have at least {LEAST_SIDE}; 640 × 480 is good.",
        )
    if image_header.truncated(data):
        raise BadImage("truncated_image", "The picture ends too early. Send the whole file.")
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), _flag(kind, max(width, height)))
    if picture is None:
        raise BadImage("not_an_image", "The picture cannot be decoded. Send the camera frame as a JPEG or PNG.")
    scale = WORKING_SIDE / max(picture.shape[:2])
    if scale < 1:
        picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return as_picture(picture)


def _flag(kind: image_header.ImageFormat, longest: int) -> int:
    """How to decode: a JPEG's own halving is nearly free, and keeps a phone's 12 megapixels from costing 100 ms."""
    if kind is image_header.ImageFormat.JPEG:
        for factor, flag in (
            (8, cv2.IMREAD_REDUCED_COLOR_8),
            (4, cv2.IMREAD_REDUCED_COLOR_4),
            (2, cv2.IMREAD_REDUCED_COLOR_2),
        ):
            if longest >= factor * WORKING_SIDE:
                return int(flag)
    return int(cv2.IMREAD_COLOR)
