"""What the first bytes of a picture tell."""

from __future__ import annotations

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from shared import image_header
from shared.image_header import ImageFormat, ImageHeader

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"


def picture(kind: str = "JPEG", size: tuple[int, int] = (97, 61), mode: str = "RGB", **options: object) -> bytes:
    out = io.BytesIO()
    noise = Image.effect_noise(size, 60)
    noise.convert(mode).save(out, kind, **options)
    return out.getvalue()


def png_header(width: int, height: int) -> bytes:
    return PNG_MAGIC + struct.pack(">I4sIIBBBBBI", 13, b"IHDR", width, height, 8, 2, 0, 0, 0, 0)


def segment(marker: int, body: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body


def frame_header(width: int, height: int, marker: int = 0xC0) -> bytes:
    return segment(marker, struct.pack(">BHHB", 8, height, width, 1) + b"\x01\x11\x00")


WHOLE = {
    "baseline": picture(),
    "progressive": picture(progressive=True),
    "restarts": picture(restart_marker_rows=1),
    "grey": picture(mode="L"),
    "cmyk": picture(mode="CMYK"),
    "png": picture("PNG"),
    "png with alpha": picture("PNG", mode="RGBA"),
    "png of 16 bits": picture("PNG", mode="I;16"),
}


@pytest.mark.parametrize("name", WHOLE)
def test_kind_size_and_end_of_whole_pictures(name: str) -> None:
    data = WHOLE[name]
    assert ImageHeader(data).kind is (ImageFormat.PNG if name.startswith("png") else ImageFormat.JPEG)
    assert ImageHeader(data).size == (97, 61)
    assert not ImageHeader(data).truncated
    assert not ImageHeader(data + b"\xff\xda a phone's own trailer").truncated, "what follows the end does not matter"


@pytest.mark.parametrize("name", WHOLE)
def test_every_shorter_beginning_is_truncated(name: str) -> None:
    data = WHOLE[name]
    assert all(ImageHeader(data[:length]).truncated for length in range(8, len(data)))


def test_a_preview_in_exif_is_neither_the_size_nor_the_end() -> None:
    preview, whole = picture(size=(8, 8)), picture()
    data = whole[:2] + segment(0xE1, b"Exif\0\0" + preview) + whole[2:]
    assert ImageHeader(data).size == (97, 61)
    assert not ImageHeader(data).truncated
    assert ImageHeader(data[:-10]).truncated


@pytest.mark.parametrize("data", [b"", b"\xff", b"\xff\xd8", b"GIF89a" + bytes(40), b"<svg/>", b"RIFF\0\0\0\0WEBPVP8 "])
def test_other_bytes_are_no_picture(data: bytes) -> None:
    assert ImageHeader(data).kind is None
    assert ImageHeader(data).size is None
    assert not ImageHeader(data).truncated


def test_size_is_read_from_the_header_alone() -> None:
    assert ImageHeader(png_header(50_000, 60_000)).size == (50_000, 60_000)
    assert ImageHeader(b"\xff\xd8" + segment(0xE0, b"JFIF\0") + frame_header(65_535, 65_000)).size == (65_535, 65_000)
    assert ImageHeader(b"\xff\xd8\xff\xff" + frame_header(7, 5, marker=0xC2)).size == (7, 5), (
        "FF may fill before a marker"
    )


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xd8" + frame_header(640, 0),  # the height left for later
        b"\xff\xd8" + frame_header(640, 480)[:8],
        b"\xff\xd8" + segment(0xC4, bytes(20)),  # a Huffman table is no frame header
        b"\xff\xd8" + segment(0xDA, bytes(6)) + frame_header(640, 480),  # a scan before the frame
        b"\xff\xd8\xff\xd9" + frame_header(640, 480),
        b"\xff\xd8\xff\xe0\xff\xff" + frame_header(640, 480),  # a segment that would end after the bytes
        png_header(0, 4),
        PNG_MAGIC + bytes(40),
        png_header(4, 4)[:20],
    ],
)
def test_no_size_where_the_header_states_none(data: bytes) -> None:
    assert ImageHeader(data).size is None


def test_bytes_made_of_nothing_but_markers_are_given_up() -> None:
    data = b"\xff\xd8\xff" + b"\xff\x01" * 100_000 + frame_header(640, 480)
    assert ImageHeader(data).size is None
    assert ImageHeader(data).truncated


@given(st.sampled_from([b"", b"\xff\xd8\xff", PNG_MAGIC, WHOLE["baseline"][:200], WHOLE["png"][:60]]), st.binary())
def test_no_bytes_upset_it(beginning: bytes, rest: bytes) -> None:
    header = ImageHeader(beginning + rest)
    assert header.size is None or min(header.size) > 0
    assert header.truncated in (True, False)
    assert header.too_complex(10**6) in (True, False)
    assert header.ordinary in (True, False)


def jpeg_with(*segments: bytes) -> bytes:
    return b"\xff\xd8" + frame_header(100, 100) + b"".join(segments) + b"\xff\xd9"


SCAN = segment(0xDA, b"\x01\x01\x00\x00\x00\x00") + b"\x00"


@pytest.mark.parametrize("name", WHOLE)
def test_whole_pictures_are_ordinary_and_not_too_complex(name: str) -> None:
    assert ImageHeader(WHOLE[name]).ordinary
    assert not ImageHeader(WHOLE[name]).too_complex(97 * 61)


@pytest.mark.parametrize("marker", [m for m in range(0xC3, 0xD0) if m not in (0xC4, 0xC8, 0xCC)])
def test_other_codings_are_not_ordinary(marker: int) -> None:
    assert not ImageHeader(b"\xff\xd8" + frame_header(100, 100, marker) + SCAN + b"\xff\xd9").ordinary


def test_scans_are_counted_and_weighed_with_the_pixels() -> None:
    most = image_header.MOST_SCANS
    assert not ImageHeader(jpeg_with(SCAN * most)).too_complex(10**6)
    assert ImageHeader(jpeg_with(SCAN * (most + 1))).too_complex(10**6)
    full = image_header.MOST_FULL_SCANS
    assert not ImageHeader(jpeg_with(SCAN * full)).too_complex(100 * 100)
    assert ImageHeader(jpeg_with(SCAN * (full + 1))).too_complex(100 * 100)


def test_a_second_picture_behind_the_first_does_not_count() -> None:
    assert not ImageHeader(jpeg_with(SCAN) + jpeg_with(SCAN * 500)).too_complex(10**6)


def test_segments_and_chunks_are_bounded() -> None:
    assert ImageHeader(jpeg_with(segment(0xFE, b"") * image_header.MOST_SEGMENTS, SCAN)).too_complex(10**6)
    assert ImageHeader(png_header(9, 9) + bytes(4) + bytes(12) * image_header.MOST_CHUNKS).too_complex(10**6)
