"""Reads a picture's format, size and coding from its headers, and what decoding it costs, without decoding it.

The module is pure Python, so that the web process can check a frame before it is queued. Workers check again before they
decode, because a decoder allocates memory for the size that the header states, and works through every scan of a JPEG.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from enum import StrEnum
from functools import cached_property


class ImageFormat(StrEnum):
    """The formats that the API accepts, decided by the bytes and not by the client's Content-Type."""

    JPEG = "jpeg"
    PNG = "png"


_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
_JPEG_MAGIC = b"\xff\xd8\xff"

#: A JPEG marker that begins a segment. In entropy-coded data, FF 00 is a stuffed byte and FF D0–D7 a restart; FF before FF
#: is padding. Decoders skip anything before such a marker between segments, too.
_MARKER = re.compile(rb"\xff([\x01-\xcf\xd8-\xfe])")
_SOI, _EOI, _SOS, _TEM = 0xD8, 0xD9, 0xDA, 0x01
#: Start-of-frame markers: C0–CF without DHT (C4), JPG (C8) and DAC (CC).
_SOF = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
#: Bytes of a frame header before its components: length, precision, height, width, number of components.
_SOF_BYTES = 8
#: Start-of-frame markers of the codings that cameras and browsers write: baseline, extended sequential and progressive, with
#: Huffman codes. Arithmetic, lossless and hierarchical coding cost far more to decode.
_ORDINARY_SOF = frozenset((0xC0, 0xC1, 0xC2))
#: Numbers of components of grey, colour and CMYK pictures.
_ORDINARY_COMPONENTS = frozenset((1, 3, 4))
#: Most segments that are read of a JPEG: real ones have dozens, a malicious one could hold nothing but markers.
MOST_SEGMENTS = 1000
#: Most scans of a JPEG; encoders write 1 if it is baseline, and 10 to 20 if it is progressive.
MOST_SCANS = 64
#: Most scans of a JPEG with as many pixels as are allowed: each scan is a pass over the whole picture.
MOST_FULL_SCANS = 20
#: Samples of a PNG's pixel, by its colour type.
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
#: Bytes of a pixel in a PNG with as many pixels as are allowed: 8 bits for each of three colours and alpha.
PIXEL_BYTES = 4
#: Most chunks of a PNG; encoders write chunks of 8 KiB or more.
MOST_CHUNKS = 10_000


class ImageHeader:
    """The headers of one picture, which are read once, however many questions are asked about them."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        #: The format by the first bytes: JPEG or PNG, or None for anything else.
        self.kind = _kind(data)

    @cached_property
    def size(self) -> tuple[int, int] | None:
        """Width and height in pixels as the header states them, before any EXIF orientation.

        None if there is no valid header: no JPEG or PNG, cut off, corrupt, or a side of 0 (a JPEG may state its height after
        the header, but decoders do not accept that either).
        """
        stated = self._stated
        return stated if stated and min(stated) > 0 else None

    @property
    def truncated(self) -> bool:
        """Whether the end is missing: the EOI marker after a JPEG's scans, or a PNG's IEND chunk.

        Bytes after the end (padding, a second picture, a phone's trailer) are ignored. False for other formats.
        """
        # By segments, as a preview in EXIF has markers of its own.
        if self.kind is ImageFormat.JPEG:
            codes = [code for code, _ in self._segments]
            return _SOS not in codes or codes[-1] != _EOI
        return self.kind is ImageFormat.PNG and not _png_ends(self._data)

    @property
    def ordinary(self) -> bool:
        """Whether a JPEG is coded as cameras and browsers do: baseline or progressive, with Huffman codes and 8 bits.

        True for other formats, and without a readable frame header. Components: 1, 3 or 4.
        """
        if self._frame is None:
            return True
        code, at = self._frame
        bits, components = self._data[at + 2], self._data[at + 7]
        return code in _ORDINARY_SOF and bits == 8 and components in _ORDINARY_COMPONENTS

    def too_complex(self, max_pixels: int) -> bool:
        """Whether decoding costs out of all proportion to the picture's size: too many segments, scans or chunks.

        max_pixels: the most pixels that the picture may have; one of that size may have MOST_FULL_SCANS scans.
        """
        width, height = self._stated or (0, 0)
        if self.kind is ImageFormat.JPEG:
            scans = sum(code == _SOS for code, _ in self._segments)
            return (
                len(self._segments) >= MOST_SEGMENTS
                or scans > MOST_SCANS
                or scans * width * height > MOST_FULL_SCANS * max_pixels
            )
        if self.kind is ImageFormat.PNG:
            bits = _png_bits(self._data)
            return (
                sum(1 for _ in png_chunks(self._data)) >= MOST_CHUNKS
                or width * height * bits > 8 * PIXEL_BYTES * max_pixels
            )
        return False

    @cached_property
    def _segments(self) -> list[tuple[int, int]]:
        """The segments of a JPEG, up to the end of the picture."""
        segments = []
        for segment in _segments(self._data) if self.kind is ImageFormat.JPEG else ():
            segments.append(segment)
            if segment[0] == _EOI:
                break
        return segments

    @cached_property
    def _frame(self) -> tuple[int, int] | None:
        """The first frame header of a JPEG that can be read: its code, and the offset of its content."""
        for code, at in self._segments:
            if code in _SOF and at + _SOF_BYTES <= len(self._data):
                return code, at
            if code in (_SOS, _EOI):
                break
        return None

    @property
    def _stated(self) -> tuple[int, int] | None:
        """Width and height as the header states them, which may be 0."""
        if self.kind is ImageFormat.PNG:
            return _png_size(self._data)
        if self._frame is None:
            return None
        _, _, height, width, _ = struct.unpack_from(">HBHHB", self._data, self._frame[1])
        return width, height


def png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """The chunks of a PNG up to IEND, at most MOST_CHUNKS: name, and the offsets of the chunk's beginning and end.

    The end of the last one lies beyond the data if the picture is cut off.
    """
    at: int = len(_PNG_MAGIC)
    for _ in range(MOST_CHUNKS):
        if at + 12 > len(data):
            return
        length, name = struct.unpack_from(">I4s", data, at)
        yield name, at, at + 12 + length
        if name == b"IEND":
            return
        at += 12 + length


def _kind(data: bytes) -> ImageFormat | None:
    if data.startswith(_JPEG_MAGIC):
        return ImageFormat.JPEG
    if data.startswith(_PNG_MAGIC):
        return ImageFormat.PNG
    return None


def _segments(data: bytes) -> Iterator[tuple[int, int]]:
    """The code of each marker, and the offset at which its segment's content begins."""
    at = 2
    for _ in range(MOST_SEGMENTS):
        marker = _MARKER.search(data, at)
        if marker is None:
            return
        code, at = marker[1][0], marker.end()
        yield code, at
        if code not in (_SOI, _TEM) and at + 2 <= len(data):
            (length,) = struct.unpack_from(">H", data, at)
            at += max(2, length)


def _png_size(data: bytes) -> tuple[int, int] | None:
    """Width and height in the IHDR chunk, which must be the first."""
    if len(data) < 24 or data[12:16] != b"IHDR":
        return None
    width, height = struct.unpack_from(">II", data, 16)
    return width, height


def _png_bits(data: bytes) -> int:
    """Bits of a pixel by the IHDR chunk; 0 if it states no valid colour type."""
    return data[24] * _SAMPLES.get(data[25], 0) if len(data) > 25 else 0


def _png_ends(data: bytes) -> bool:
    """Whether the chunks end with a complete IEND."""
    return any(name == b"IEND" and end <= len(data) for name, _, end in png_chunks(data))
