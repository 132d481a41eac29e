"""Decodes a JPEG or PNG into an upright colour picture of at most WORKING_SIDE pixels."""

from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np

from shared.image_header import ImageFormat, ImageHeader, png_chunks
from workers.vision.errors import BadImage
from workers.vision.landmarks import Picture, as_picture

#: Longer side in pixels of the picture that is measured; a larger picture is shrunk to it.
WORKING_SIDE = 640
#: Least length in pixels of the shorter side; no face can be judged in a smaller picture.
LEAST_SIDE = 64


def decode(data: bytes, max_pixels: int) -> Picture:
    """Decode a picture into 8-bit blue, green and red (height, width, 3), turned upright by its EXIF orientation.

    Pictures with a side over WORKING_SIDE are shrunk. Raises BadImage if `data` is not a whole JPEG or PNG of a usable size.
    The headers are read first, so that a picture of more than `max_pixels`, or of a coding that costs out of proportion, is
    never decoded.
    """
    kind, longest = _check(data, max_pixels)
    if kind is ImageFormat.PNG:
        data = _plain_png(data)
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), _flag(kind, longest))
    if picture is None:
        raise BadImage("not_an_image", "The picture cannot be decoded. Send the camera frame as a JPEG or PNG.")
    scale = WORKING_SIDE / max(picture.shape[:2])
    if scale < 1:
        picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return as_picture(picture)


def _check(data: bytes, max_pixels: int) -> tuple[ImageFormat, int]:
    """The format of a picture and its longer side in pixels, by its headers; raises BadImage if it must not be decoded."""
    header = ImageHeader(data)
    if header.kind is None:
        raise BadImage(
            "not_an_image", "The bytes are not a JPEG or PNG picture. Send the camera frame as one of these."
        )
    size = header.size
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
    if not header.ordinary:
        raise BadImage("unsupported_image", "")
    if header.too_complex(max_pixels):
        raise BadImage("image_too_complex", "")
    if header.truncated:
        raise BadImage("truncated_image", "The picture ends too early. Send the whole file.")
    return header.kind, max(width, height)


def _flag(kind: ImageFormat, longest: int) -> int:
    """OpenCV's decoding flag: a JPEG is decoded at 1/2, 1/4 or 1/8 of its size, which costs far less than all of it.

    longest: its longer side in pixels; the decoded one has at least WORKING_SIDE.
    """
    if kind is ImageFormat.JPEG:
        for factor, flag in (
            (8, cv2.IMREAD_REDUCED_COLOR_8),
            (4, cv2.IMREAD_REDUCED_COLOR_4),
            (2, cv2.IMREAD_REDUCED_COLOR_2),
        ):
            if longest >= factor * WORKING_SIDE:
                return int(flag)
    return int(cv2.IMREAD_COLOR)


#: Chunks of a PNG that are handed to the decoder, besides IDAT. The others hold texts, profiles and animations, which a
#: decoder may have to inflate, megabytes from each kilobyte.
_CHUNKS = frozenset((b"IHDR", b"PLTE", b"tRNS", b"eXIf", b"IEND"))
#: Most bytes of a chunk other than IDAT.
_MOST_BYTES = 64 * 1024
#: Samples of a pixel, by the colour type in IHDR.
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
#: The passes of an interlaced PNG (Adam7): first column and row, and the steps between columns and rows.
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def _plain_png(data: bytes) -> bytes:
    """A whole PNG without needless chunks, its pixels inflated up to the bytes that its size takes, and stored so.

    A decoder inflates all compressed data, also what follows the last row, a thousand bytes from each.
    """
    header = b""
    before: list[bytes] = []
    after: list[bytes] = []
    packed: list[bytes] = []
    for name, start, end in png_chunks(data):
        if name == b"IDAT":
            packed.append(data[start + 8 : end - 4])
        elif name == b"IHDR" and not header:
            header = data[start:end]
        elif name in _CHUNKS and end - start <= _MOST_BYTES:
            (after if packed else before).append(data[start:end])
    rows = _png_bytes(header)
    if rows is None:
        raise BadImage("not_an_image", "The picture's header is damaged. Send the camera frame as a JPEG or PNG.")
    try:
        pixels = zlib.decompressobj().decompress(b"".join(packed), rows)
    except zlib.error:
        raise BadImage(
            "not_an_image", "The picture cannot be decoded. Send the camera frame as a JPEG or PNG."
        ) from None
    stored = zlib.compress(pixels, 0)
    del pixels, packed  # tens of megabytes
    return b"".join(
        (
            data[:8],
            header,
            *before,
            struct.pack(">I", len(stored)),
            b"IDAT",
            stored,
            struct.pack(">I", zlib.crc32(stored, zlib.crc32(b"IDAT"))),
            *after,
        )
    )


def _png_bytes(header: bytes) -> int | None:
    """Bytes of the inflated pixels, by the chunk IHDR; None if it is not valid."""
    if len(header) != 25:
        return None
    width, height, depth, colour, _, _, interlaced = struct.unpack_from(">IIBBBBB", header, 8)
    if colour not in _SAMPLES or depth not in (1, 2, 4, 8, 16):
        return None
    bits = depth * _SAMPLES[colour]
    total = 0
    for left, top, across, down in _PASSES if interlaced else ((0, 0, 1, 1),):
        columns, rows = -(-(width - left) // across), -(-(height - top) // down)
        if columns > 0 and rows > 0:
            total += rows * (1 + -(-columns * bits // 8))
    return total
