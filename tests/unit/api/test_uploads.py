"""Reading the picture out of a request's form."""

from __future__ import annotations

import io
import struct
import tempfile
import time
import zlib
from typing import Any

import pytest
from flask import Request
from PIL import Image
from werkzeug.test import EnvironBuilder

from api.problems import ProblemError
from api.uploads import FORM_BYTES, read_frame, read_picture, read_reference, refuse_large_body
from shared.settings import Settings
from tests.unit.vision.pictures import jpeg_of_scans, png_chunk, png_of

SETTINGS = Settings(_env_file=None, max_frame_bytes=64 * 1024, max_pixels=100_000)


def picture(kind: str = "JPEG", size: tuple[int, int] = (64, 48)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "teal").save(out, kind)
    return out.getvalue()


def png_that_states(width: int, height: int) -> bytes:
    """A whole PNG whose header states a size that its few bytes do not have."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def form(data: bytes, *, name: str = "image", filename: str = "frame.jpg", content_type: str = "image/jpeg") -> Request:
    head = f'--x\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"\r\n'
    head += f"Content-Type: {content_type}\r\n\r\n" if content_type else "\r\n"
    return raw(head.encode() + data + b"\r\n--x--\r\n", "multipart/form-data; boundary=x")


def raw(body: bytes, content_type: str) -> Request:
    return Request(EnvironBuilder(method="POST", data=body, content_type=content_type).get_environ())


def code_of(request: Request) -> str:
    with pytest.raises(ProblemError) as caught:
        read_picture(request, SETTINGS)
    return caught.value.kind.code


class Counting:
    """A body without an end, which counts what is taken of it."""

    def __init__(self, beginning: bytes = b"") -> None:
        self.beginning = io.BytesIO(beginning)
        self.taken = 0

    def read(self, size: int = -1) -> bytes:
        assert size > 0, "a bounded reader says how much it wants"
        given = self.beginning.read(size) or b"x" * size
        self.taken += len(given)
        return given


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("content_type", ["image/jpeg", "image/png", "text/plain", "application/octet-stream", ""])
def test_the_bytes_decide_not_what_they_are_called(kind: str, content_type: str) -> None:
    data = picture(kind)
    assert read_picture(form(data, filename="x.gif", content_type=content_type), SETTINGS) == data


def test_known_text_fields_do_not_disturb() -> None:
    data = picture()
    report = "{}"
    for fields in ({"session_id": "a1"}, {"session_id": "A1", "camera": report}):
        parts: dict[str, Any] = {**fields, "image": (io.BytesIO(data), "f")}
        request = Request(EnvironBuilder(method="POST", data=parts).get_environ())
        assert read_frame(request, SETTINGS, "a1")[0] == data


@pytest.mark.parametrize(
    ("parts", "code", "told"),
    [
        ({"note": "hello", "thumb": (io.BytesIO(b"y"), "t")}, "invalid_parameter", {"note", "thumb"}),
        ({"imgae": (io.BytesIO(b"y"), "t")}, "invalid_parameter", {"imgae"}),
        ({"session_id": "another"}, "invalid_parameter", {"session_id"}),
        ({"camera": (io.BytesIO(b"{}"), "blob")}, "invalid_parameter", {"camera"}),
        ({"session_id": ["a1", "a1"]}, "invalid_parameter", {"session_id"}),
    ],
)
def test_other_parts_of_a_frame_are_refused_by_name(parts: dict[str, Any], code: str, told: set[str]) -> None:
    builder = EnvironBuilder(method="POST", data={**parts, "image": (io.BytesIO(picture()), "f")})
    with pytest.raises(ProblemError) as caught:
        read_frame(Request(builder.get_environ()), SETTINGS, "a1")
    assert caught.value.kind.code == code
    assert {fault.parameter for fault in caught.value.errors or ()} == told


def test_two_pictures_are_not_one() -> None:
    builder = EnvironBuilder(
        method="POST", data={"image": [(io.BytesIO(picture()), "a"), (io.BytesIO(picture()), "b")]}
    )
    assert code_of(Request(builder.get_environ())) == "invalid_parameter"


def test_a_misspelt_picture_is_told_its_name() -> None:
    with pytest.raises(ProblemError) as caught:
        read_picture(form(picture(), name="images"), SETTINGS)
    assert caught.value.kind.code == "image_missing"
    assert "did you mean image?" in str(caught.value.detail)


def test_options_in_the_form_of_a_creation_are_refused() -> None:
    """They would be the default in silence: a form holds the picture alone."""
    builder = EnvironBuilder(method="POST", data={"preset": "strict", "referenc": (io.BytesIO(picture()), "f")})
    with pytest.raises(ProblemError) as caught:
        read_reference(Request(builder.get_environ()), SETTINGS)
    assert {fault.parameter for fault in caught.value.errors or ()} == {"preset", "referenc"}
    assert "did you mean reference?" in str(caught.value.detail)


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (raw(picture(), "image/jpeg"), "not_multipart"),
        (raw(b"image=abc", "application/x-www-form-urlencoded"), "not_multipart"),
        (raw(b"", ""), "not_multipart"),
        (raw(b"--x--", "multipart/form-data"), "malformed_form"),
        (raw(b"no form at all", "multipart/form-data; boundary=x"), "malformed_form"),
        (
            raw(b'--x\r\nContent-Disposition: form-data; name="image"', "multipart/form-data; boundary=x"),
            "malformed_form",
        ),
        (raw(b"", "multipart/form-data; boundary=x"), "image_missing"),
        (raw(b"--x--\r\n", "multipart/form-data; boundary=\xc3\xa4"), "malformed_form"),
        (form(picture(), name="picture"), "image_missing"),
        (form(b""), "image_empty"),
        (form(b"hello"), "not_an_image"),
        (form(b"GIF89a" + bytes(100)), "not_an_image"),
        (form(picture()[:-2]), "truncated_image"),
        (form(picture()[:3]), "truncated_image"),
        (form(picture("PNG")[:-1]), "truncated_image"),
        (form(b"\xff\xd8\xff\xda" + bytes(9) + b"\xff\xd9"), "not_an_image"),
        (form(png_that_states(60_000, 50_000)), "too_many_pixels"),
        (form(picture(size=(400, 300))), "too_many_pixels"),
        (form(bytes(64 * 1024 + 1)), "picture_too_large"),
    ],
)
def test_each_bad_body_has_its_own_problem(request_: Request, code: str) -> None:
    assert code_of(request_) == code


def test_a_text_field_is_no_file() -> None:
    builder = EnvironBuilder(
        method="POST", content_type="multipart/form-data", data={"image": "data:image/jpeg;base64,"}
    )
    assert code_of(Request(builder.get_environ())) == "image_not_a_file"


def test_the_largest_picture_is_taken() -> None:
    data = picture()
    data += bytes(SETTINGS.max_frame_bytes - len(data))
    assert len(read_picture(form(data), SETTINGS)) == SETTINGS.max_frame_bytes


def test_a_long_body_is_refused_by_its_length_alone() -> None:
    request = form(picture())
    request.environ["CONTENT_LENGTH"] = str(SETTINGS.max_frame_bytes + FORM_BYTES + 1)
    request.environ["wsgi.input"] = body = Counting()
    with pytest.raises(ProblemError) as caught:
        refuse_large_body(request, SETTINGS)
    assert caught.value.kind.code == "picture_too_large"
    assert caught.value.detail is not None
    assert "64 KiB" in caught.value.detail
    assert body.taken == 0


def test_a_body_that_does_not_say_its_length_is_bounded() -> None:
    head = b'--x\r\nContent-Disposition: form-data; name="image"; filename="f"\r\n\r\n'
    request = raw(b"", "multipart/form-data; boundary=x")
    del request.environ["CONTENT_LENGTH"]
    request.environ |= {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}
    request.environ["wsgi.input"] = body = Counting(head)
    refuse_large_body(request, SETTINGS)
    assert code_of(request) == "picture_too_large"
    assert body.taken <= SETTINGS.max_frame_bytes + FORM_BYTES


def test_no_picture_is_ever_written_to_a_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("a temporary file")

    for name in ("SpooledTemporaryFile", "TemporaryFile"):
        monkeypatch.setattr(tempfile, name, refuse)
        monkeypatch.setattr(f"werkzeug.formparser.{name}", refuse, raising=False)
    large = Settings(_env_file=None, max_frame_bytes=4 * 1024 * 1024)
    data = picture() + bytes(2 * 1024 * 1024)
    assert read_picture(form(data), large) == data


def test_many_parts_are_refused() -> None:
    parts = {f"p{i}": (io.BytesIO(b"y"), "f") for i in range(60)}
    assert code_of(Request(EnvironBuilder(method="POST", data=parts).get_environ())) == "picture_too_large"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (jpeg_of_scans(64, 64, 700), "image_too_complex"),
        (jpeg_of_scans(300, 300, 24), "image_too_complex"),
        (jpeg_of_scans(64, 64, 2, sof=0xCA), "unsupported_image"),
        (png_of(64, 64, after=png_chunk(b"IDAT", b"") * 345_000), "image_too_complex"),
    ],
)
def test_what_costs_too_much_to_decode_is_refused_before_it_is_queued(data: bytes, code: str) -> None:
    settings = SETTINGS.model_copy(update={"max_frame_bytes": 8 * 2**20})
    began = time.process_time()
    with pytest.raises(ProblemError) as caught:
        read_picture(form(data), settings)
    assert caught.value.kind.code == code
    assert time.process_time() - began < 0.1, "looking must not cost the web process what decoding would cost a worker"


def test_a_reference_has_a_limit_of_its_own() -> None:
    settings = SETTINGS.model_copy(update={"max_pixels": 100, "max_reference_pixels": 64 * 48})
    assert read_reference(form(picture(), name="reference"), settings) == picture()
    with pytest.raises(ProblemError) as caught:
        read_reference(form(picture(size=(64, 49)), name="reference"), settings)
    assert caught.value.kind.code == "too_many_pixels"
