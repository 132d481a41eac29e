"""What the first bytes of a picture tell, without decoding it: its kind, its size, and whether its end is there.

Pure Python, so that the web process may ask before a frame is queued; the workers ask again before they decode, because
the size in the header is what a decoder will allocate.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from enum import StrEnum


class ImageFormat(StrEnum):
    """The kinds of picture that the API takes; the bytes decide, not what the client calls them."""

    JPEG = "jpeg"
    PNG = "png"


_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
_JPEG_MAGIC = b"\xff\xd8\xff"

#: The next JPEG marker that is one: in entropy-coded data FF 00 is a stuffed byte and FF D0–D7 a restart, and FF before
#: FF is filling. Between segments, decoders skip anything up to here too.
_MARKER = re.compile(rb"\xff([\x01-\xcf\xd8-\xfe])")
_SOI, _EOI, _SOS, _TEM = 0xD8, 0xD9, 0xDA, 0x01
#: Start-of-frame markers: C0–CF but DHT (C4), JPG (C8) and DAC (CC).
_SOF = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
#: The frame header's length before its components: length, precision, height, width, number of components.
_SOF_BYTES = 8
#: Segments looked at in one JPEG: real ones have dozens; bytes made of nothing but markers must not keep us busy.
_MOST_SEGMENTS = 5000


def kind(data: bytes) -> ImageFormat | None:
    """JPEG or PNG by their first bytes; None for anything else."""
    if data.startswith(_JPEG_MAGIC):
        return ImageFormat.JPEG
    if data.startswith(_PNG_MAGIC):
        return ImageFormat.PNG
    return None


def size(data: bytes) -> tuple[int, int] | None:
    """Width and height in pixels as the header states them, before any EXIF orientation.

    None where no header says so: not a JPEG or PNG, cut off before it, garbled, or a side of 0 (a JPEG may leave its
    height for later; decoders do not take that either).
    """
    match kind(data):
        case ImageFormat.JPEG:
            stated = _jpeg_size(data)
        case ImageFormat.PNG:
            stated = _png_size(data)
        case _:
            return None
    return stated if stated and min(stated) > 0 else None


def truncated(data: bytes) -> bool:
    """Whether the end is missing: a JPEG's EOI after its first picture's scans, a PNG's IEND.

    What follows the end (padding, a second picture, a phone's own trailer) does not matter. False for other bytes.
    """
    match kind(data):
        case ImageFormat.JPEG:
            return not _jpeg_ends(data)
        case ImageFormat.PNG:
            return not _png_ends(data)
        case _:
            return False


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    """The size in the first start-of-frame header."""
    for code, at in _segments(data):
        if code in _SOF and at + _SOF_BYTES <= len(data):
            _, _, height, width, _ = struct.unpack_from(">HBHHB", data, at)
            return width, height
        if code in (_SOS, _EOI):
            break
    return None


def _jpeg_ends(data: bytes) -> bool:
    """Whether an end-of-image marker follows a scan; walked by segments, because a preview in EXIF has its own."""
    scanned = False
    for code, _ in _segments(data):
        if code == _EOI:
            return scanned
        scanned = scanned or code == _SOS
    return False


def _segments(data: bytes) -> Iterator[tuple[int, int]]:
    """Each marker's code and where what belongs to it begins."""
    at = 2
    for _ in range(_MOST_SEGMENTS):
        marker = _MARKER.search(data, at)
        if marker is None:
            return
        code, at = marker[1][0], marker.end()
        yield code, at
        if code not in (_SOI, _TEM) and at + 2 <= len(data):
            (length,) = struct.unpack_from(">H", data, at)
            at += max(2, length)


def _png_size(data: bytes) -> tuple[int, int] | None:
    """The size in IHDR, which must be the first chunk."""
    if len(data) < 24 or data[12:16] != b"IHDR":
        return None
    width, height = struct.unpack_from(">II", data, 16)
    return width, height


def _png_ends(data: bytes) -> bool:
    """Whether the chunks lead to a whole IEND."""
    at: int = len(_PNG_MAGIC)
    while at + 12 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        at += 12 + length
        if name == b"IEND":
            return at <= len(data)
    return False
