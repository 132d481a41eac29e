"""Pictures of every kind, made by hand."""

from __future__ import annotations

import io
import struct
import zlib

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]


def gradient(width: int = 200, height: int = 120) -> Pixels:
    """Blue grows to the right, green downwards, red stays: each corner has a colour of its own."""
    x, y = np.linspace(20, 235, width), np.linspace(20, 235, height)
    picture = np.full((height, width, 3), 128, np.uint8)
    picture[:, :, 0] = x
    picture[:, :, 1] = y[:, None]
    return picture


def encode(pixels: Pixels, kind: str = ".jpg", quality: int = 95) -> bytes:
    """As a camera client sends it."""
    options = [cv2.IMWRITE_JPEG_QUALITY, quality] if kind == ".jpg" else []
    return bytes(cv2.imencode(kind, pixels, options)[1].tobytes())


def by_pillow(pixels: Pixels, kind: str, mode: str = "RGB", **options: object) -> bytes:
    """Modes and metadata that OpenCV does not write."""
    out = io.BytesIO()
    Image.fromarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)).convert(mode).save(out, kind, **options)
    return out.getvalue()


def oriented(pixels: Pixels, orientation: int) -> bytes:
    """As a phone stores it: the sensor's pixels, and the EXIF word on how to turn them."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return by_pillow(pixels, "JPEG", quality=95, exif=exif)


def png_chunk(name: bytes, body: bytes) -> bytes:
    """One chunk of a PNG."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png_bomb(width: int, height: int) -> bytes:
    """A small, whole and valid PNG of very many black pixels."""
    row = b"\0" + bytes((width + 7) // 8)
    squeezed = zlib.compressobj(9)
    body = b"".join(squeezed.compress(row) for _ in range(height)) + squeezed.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    chunks = png_chunk(b"IHDR", header) + png_chunk(b"IDAT", body) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def jpeg_claiming(width: int, height: int) -> bytes:
    """A whole JPEG of a small picture whose header claims another size."""
    data = bytearray(encode(gradient(64, 64)))
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(data)


def jpeg_segment(marker: int, body: bytes) -> bytes:
    """One segment of a JPEG."""
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body


def jpeg_of_scans(width: int, height: int, scans: int, *, sof: int = 0xC2, bits: int = 8, components: int = 3) -> bytes:
    """A whole progressive JPEG of so many scans, of a few bytes each; decoders go over the whole picture for each."""
    names = range(1, components + 1)
    frame = struct.pack(">BHHB", bits, height, width, components) + b"".join(bytes((n, 0x11, 0)) for n in names)
    codes = b"".join(
        jpeg_segment(0xC4, bytes((table, *((1,) * len(symbols)), *((0,) * (16 - len(symbols))))) + symbols)
        for table, symbols in ((0x00, b"\0"), (0x10, b"\0\xe0"))
    )
    first = bytes((components,)) + b"".join(bytes((n, 0)) for n in names) + b"\0\0\0"
    further = jpeg_segment(0xDA, b"\1\1\0\1\x3f\0") + b"\0"
    return b"".join(
        (
            b"\xff\xd8",
            jpeg_segment(0xDB, b"\0" + b"\1" * 64),
            jpeg_segment(sof, frame),
            codes,
            jpeg_segment(0xDA, first) + b"\0",
            further * (scans - 1),
            b"\xff\xd9",
        )
    )


def png_of(
    width: int, height: int, *, before: bytes = b"", after: bytes = b"", bits: int = 8, packed: bytes = b""
) -> bytes:
    """A whole black PNG with these chunks before and after its pixels; packed: compressed pixels in place of its own."""
    packed = packed or zlib.compress(bytes((1 + 3 * width * bits // 8) * height), 9)
    header = struct.pack(">IIBBBBB", width, height, bits, 2, 0, 0, 0)
    chunks = (png_chunk(b"IHDR", header), before, png_chunk(b"IDAT", packed), after, png_chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def inflating(name: bytes, head: bytes, count: int) -> bytes:
    """So many chunks of compressed text, each of eight kilobytes that become eight megabytes."""
    return png_chunk(name, head + zlib.compress(bytes(7_900_000), 9)) * count
