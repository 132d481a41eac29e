"""Bytes become an upright colour picture of a working size, or a sentence about what is wrong with them."""

from __future__ import annotations

import time
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.vision.pictures import (
    Pixels,
    by_pillow,
    encode,
    gradient,
    inflating,
    jpeg_claiming,
    jpeg_of_scans,
    oriented,
    png_bomb,
    png_chunk,
    png_of,
)
from workers.vision.decode import LEAST_SIDE, WORKING_SIDE, decode
from workers.vision.errors import BadImage

MOST = 25_000_000
#: Codes whose sentence is the API's own.
BY_THE_API = ("unsupported_image", "image_too_complex")


def code_of(data: bytes, most: int = MOST) -> str:
    with pytest.raises(BadImage) as raised:
        decode(data, most)
    assert raised.value.detail.endswith(".") or raised.value.code in BY_THE_API, "a sentence that says what to do"
    return raised.value.code


def like(picture: Pixels, expected: Pixels, tolerance: float = 6) -> bool:
    return picture.shape == expected.shape and bool(
        np.abs(picture.astype(int) - expected.astype(int)).mean() < tolerance
    )


PLAIN = gradient()
GREY = cv2.cvtColor(cv2.cvtColor(PLAIN, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
WHOLE = {
    "jpeg": (encode(PLAIN), PLAIN),
    "progressive jpeg": (by_pillow(PLAIN, "JPEG", progressive=True, quality=95), PLAIN),
    "grey jpeg": (by_pillow(PLAIN, "JPEG", "L", quality=95), GREY),
    "cmyk jpeg": (by_pillow(PLAIN, "JPEG", "CMYK", quality=95), PLAIN),
    "png": (encode(PLAIN, ".png"), PLAIN),
    "grey png": (encode(GREY[:, :, 0], ".png"), GREY),
    "png with a palette": (by_pillow(PLAIN, "PNG", "P"), PLAIN),
    "png with alpha": (encode(cv2.cvtColor(PLAIN, cv2.COLOR_BGR2BGRA), ".png"), PLAIN),
    "grey png with alpha": (by_pillow(PLAIN, "PNG", "LA"), GREY),
    "png of 16 bits": (encode(PLAIN.astype(np.uint16) * 257, ".png"), PLAIN),
    "grey png of 16 bits": (encode(GREY[:, :, 0].astype(np.uint16) * 257, ".png"), GREY),
}


@pytest.mark.parametrize("name", WHOLE)
def test_every_kind_of_picture_becomes_colour_of_8_bits(name):
    """What is measured looks the same whatever the camera's client made of it."""
    data, expected = WHOLE[name]
    picture = decode(data, MOST)
    assert picture.dtype == np.uint8
    assert like(picture, expected, 20 if "palette" in name else 6)


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("part", [0.2, 0.6, 0.95])
def test_a_picture_that_was_cut_off_is_refused(name, part):
    """Half a picture decodes to grey; a face must not be measured in it."""
    data, _ = WHOLE[name]
    assert code_of(data[: int(part * len(data))]) == "truncated_image"


@pytest.mark.parametrize("data", [b"", b"hello", b"GIF89a" + bytes(50), b"\x89PNG", bytes(2000), b"<svg/>"])
def test_bytes_that_are_no_picture_are_refused(data):
    """Only JPEG and PNG reach a decoder."""
    assert code_of(data) == "not_an_image"


def test_a_whole_frame_around_nonsense_is_refused():
    """A header, an end, and nothing that decodes between them."""
    header = encode(PLAIN, ".png")[:33]
    assert code_of(header + png_chunk(b"IDAT", b"nonsense") + png_chunk(b"IEND", b"")) == "not_an_image"


#: For each EXIF orientation what the sensor's pixels are of an upright picture.
SENSOR = {
    1: lambda p: p,
    2: lambda p: p[:, ::-1],
    3: lambda p: p[::-1, ::-1],
    4: lambda p: p[::-1],
    5: lambda p: p.transpose(1, 0, 2),
    6: np.rot90,
    7: lambda p: p[::-1, ::-1].transpose(1, 0, 2),
    8: lambda p: np.rot90(p, -1),
}


@pytest.mark.parametrize("orientation", SENSOR)
@pytest.mark.parametrize("size", [(200, 120), (1600, 1200)])
def test_phones_pictures_stand_upright(orientation, size):
    """The orientation that the file states is honoured, also where the picture is made smaller while decoding."""
    upright = gradient(*size)
    picture = decode(oriented(np.ascontiguousarray(SENSOR[orientation](upright)), orientation), MOST)
    scale = min(1.0, WORKING_SIDE / max(size))
    assert like(picture, cv2.resize(upright, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))


@pytest.mark.parametrize(
    "size", [(640, 480), (641, 480), (1279, 720), (1280, 720), (3000, 2000), (480, 2600), (5120, 400)]
)
def test_what_is_larger_is_measured_at_the_working_size(size):
    """The longer side is never longer, nor needlessly shorter, and the proportions stay."""
    picture = decode(encode(gradient(*size)), MOST)
    height, width = picture.shape[:2]
    assert max(height, width) == min(max(size), WORKING_SIDE)
    assert width / height == pytest.approx(size[0] / size[1], rel=0.02)


def test_small_pictures_are_left_as_they_are():
    """Nothing is gained by pixels that were not there."""
    assert decode(encode(gradient(320, 240)), MOST).shape == (240, 320, 3)


def test_twelve_megapixels_cost_little(monkeypatch):
    """A phone's whole picture is never unpacked in full: the decoder halves it on the way, and it looks the same."""
    large = cv2.resize(gradient(1000, 750), (4000, 3000))
    data, sizes, imdecode = encode(large, quality=90), [], cv2.imdecode

    def counted(*args: object) -> Pixels:
        sizes.append(imdecode(*args))
        return sizes[-1]

    monkeypatch.setattr(cv2, "imdecode", counted)
    picture = decode(data, MOST)
    assert [max(p.shape) < 2 * WORKING_SIDE for p in sizes] == [True]
    assert like(picture, cv2.resize(large, (640, 480), interpolation=cv2.INTER_AREA))


@pytest.mark.parametrize("size", [(1, 1), (LEAST_SIDE - 1, 480), (640, LEAST_SIDE - 1)])
@pytest.mark.parametrize("kind", [".jpg", ".png"])
def test_a_picture_too_small_for_any_face_is_refused(size, kind):
    """There is nothing to measure in it, and the answer says how large it should be."""
    assert code_of(encode(gradient(*size), kind)) == "image_too_small"


def test_the_smallest_picture_that_is_taken():
    """The limit itself is good enough."""
    assert decode(encode(gradient(LEAST_SIDE, LEAST_SIDE)), MOST).shape == (LEAST_SIDE, LEAST_SIDE, 3)


@pytest.mark.parametrize("data", [png_bomb(30_000, 30_000), jpeg_claiming(60_000, 60_000)], ids=["png", "jpeg"])
def test_too_many_pixels_are_refused_from_the_header(data, monkeypatch):
    """A few kilobytes that would fill gigabytes never reach a decoder."""
    assert len(data) < 200_000
    monkeypatch.setattr(cv2, "imdecode", lambda *_: pytest.fail("decoded"))
    assert code_of(data) == "too_many_pixels"


def test_the_pixel_limit_is_the_operators_and_counts_to_the_pixel():
    """As many as allowed are taken, one row more is not."""
    assert decode(encode(gradient(100, 100)), 10_000) is not None
    assert code_of(encode(gradient(100, 101)), 10_000) == "too_many_pixels"


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(WHOLE)), st.data())
def test_damaged_pictures_are_measured_or_refused_but_never_break(name, data):
    """Bytes that were changed on the way give a picture or a BadImage, whatever they are."""
    damaged = bytearray(WHOLE[name][0])
    for _ in range(data.draw(st.integers(1, 6))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        picture = decode(bytes(damaged), 1_000_000)
    except BadImage:
        return
    assert picture.dtype == np.uint8
    assert max(picture.shape[:2]) <= WORKING_SIDE


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (jpeg_of_scans(64, 64, 65), "image_too_complex"),
        (jpeg_of_scans(5000, 5000, 21), "image_too_complex"),
        (png_of(64, 64, after=png_chunk(b"IDAT", b"") * 345_000), "image_too_complex"),
        (png_of(64, 64, before=png_chunk(b"tEXt", b"a\0b") * 20_000), "image_too_complex"),
        (png_of(2600, 2600, bits=16), "image_too_complex"),
        (jpeg_of_scans(640, 480, 2, sof=0xCA), "unsupported_image"),
        (jpeg_of_scans(640, 480, 2, sof=0xC9), "unsupported_image"),
        (jpeg_of_scans(640, 480, 2, sof=0xC3), "unsupported_image"),
        (jpeg_of_scans(640, 480, 2, bits=12), "unsupported_image"),
        (jpeg_of_scans(640, 480, 2, components=2), "unsupported_image"),
    ],
)
def test_a_picture_that_costs_out_of_proportion_never_reaches_a_decoder(data, code, monkeypatch):
    """Each scan is a pass over the whole picture, and arithmetic or lossless coding costs many times the usual one."""
    monkeypatch.setattr(cv2, "imdecode", lambda *_: pytest.fail("decoded"))
    assert code_of(data, 10_000_000 if data.startswith(b"\x89") else MOST) == code


def test_a_progressive_picture_as_encoders_write_it_is_decoded():
    """Ten to twenty scans are usual, also in a picture of the largest permitted size."""
    assert decode(jpeg_of_scans(640, 480, 20), 640 * 480).shape == (480, 640, 3)


@pytest.mark.parametrize(
    "data",
    [
        png_of(64, 64, before=inflating(b"zTXt", b"a\0\0", 400)),
        png_of(64, 64, before=inflating(b"iTXt", b"a\0\1\0\0\0", 400)),
        png_of(64, 64, after=inflating(b"zTXt", b"a\0\0", 400)),
        png_of(64, 64, packed=zlib.compress(bytes(700_000_000), 9)),
    ],
    ids=["texts", "international texts", "texts after the pixels", "pixels beyond the last row"],
)
def test_nothing_is_inflated_but_the_pixels(data):
    """Texts in a PNG of three megabytes took 13 seconds of a worker, pixels that no row holds took two for each megabyte."""
    began = time.process_time()
    assert decode(data, MOST).shape == (64, 64, 3)
    assert time.process_time() - began < 0.2


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1"])
@pytest.mark.parametrize("size", [(64, 64), (97, 65)])
def test_pngs_look_as_before(mode, size):
    """What the decoder is given holds the same pixels, palette and transparency."""
    data = by_pillow(gradient(*size), "PNG", mode)
    whole = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert np.array_equal(decode(data, MOST), whole)


def test_an_interlaced_png_looks_as_before():
    """Its rows come in seven passes, which take a few bytes more than the rows of the picture."""
    width, height = 75, 67
    grey, rows = gradient(width, height)[:, :, 1], []
    for left, top, across, down in (
        (0, 0, 8, 8),
        (4, 0, 8, 8),
        (0, 4, 4, 8),
        (2, 0, 4, 4),
        (0, 2, 2, 4),
        (1, 0, 2, 2),
        (0, 1, 1, 2),
    ):
        rows += [b"\0" + row.tobytes() for row in grey[top::down, left::across]]
    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\0\0\0\x01"
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"".join(rows))), (b"IEND", b""))
    data = b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*chunk) for chunk in chunks)
    assert np.array_equal(decode(data, MOST)[:, :, 0], grey)
