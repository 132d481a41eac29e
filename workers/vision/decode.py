"""Decodes a JPEG or PNG into an upright colour picture of at most WORKING_SIDE pixels."""

from __future__ import annotations

import cv2
import numpy as np

from shared import image_header
from workers.vision.errors import BadImage
from workers.vision.landmarks import Picture, as_picture

#: Longer side in pixels of the picture that is measured; a larger picture is shrunk to it.
WORKING_SIDE = 640
#: Least length in pixels of the shorter side; no face can be judged in a smaller picture.
LEAST_SIDE = 64


def decode(data: bytes, max_pixels: int) -> Picture:
    """Decode a picture into 8-bit blue, green and red (height, width, 3), turned upright by its EXIF orientation.

    Pictures with a side over WORKING_SIDE are shrunk. Raises BadImage if `data` is not a whole JPEG or PNG of a usable size.
    The size is read from the header first, so that a picture of more than `max_pixels` is never decoded.
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
    """OpenCV's decoding flag: a JPEG is decoded at 1/2, 1/4 or 1/8 of its size, which costs far less than all of it.

    longest: its longer side in pixels; the decoded one has at least WORKING_SIDE.
    """
    if kind is image_header.ImageFormat.JPEG:
        for factor, flag in (
            (8, cv2.IMREAD_REDUCED_COLOR_8),
            (4, cv2.IMREAD_REDUCED_COLOR_4),
            (2, cv2.IMREAD_REDUCED_COLOR_2),
        ):
            if longest >= factor * WORKING_SIDE:
                return int(flag)
    return int(cv2.IMREAD_COLOR)
