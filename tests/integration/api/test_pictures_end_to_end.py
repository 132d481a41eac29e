"""Pictures of every kind through the API, the queue and a real worker that looks at them with its models."""

from __future__ import annotations

import io
import os
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from flask.testing import FlaskClient
from PIL import Image
from redis import Redis
from werkzeug.test import TestResponse

from api import create_app
from tests.integration.api.conftest import SESSIONS, DocumentedClient
from tests.integration.api.contract import Contract
from tests.integration.redis_server import RedisServer
from tests.integration.workers.service import PRELOADED, ROOT, Service


@pytest.fixture(scope="module")
def models() -> Path:
    """Where the models are; without them there is nothing to see with."""
    directory = Path(os.environ.get("MODELS_DIR", ROOT / "var" / "models"))
    if not (directory / "face_landmark.tflite").exists():
        reason = "no models: ops/up and ops/test bring them"
        if os.environ.get("CI"):
            pytest.fail(f"{reason}; in CI they must be there", pytrace=False)
        pytest.skip(reason)
    return directory


@pytest.fixture(scope="module")
def service(redis_server: RedisServer, models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Everything that is real, for all tests of this module."""
    with Redis.from_url(redis_server.url) as redis:
        redis.flushall()
    service = Service(redis_server.url, tmp_path_factory.mktemp("service"), models_dir=models)
    try:
        service.start_workers(1, PRELOADED)
        yield service
    finally:
        service.close()


@pytest.fixture(scope="module")
def web(service: Service) -> Iterator[FlaskClient]:
    """The API over it."""
    app = create_app(service.settings)
    DocumentedClient.contract = Contract(app.test_client().get("/openapi.json").json)
    app.test_client_class = DocumentedClient
    yield app.test_client()
    app.extensions["resources"].close()


@pytest.fixture
def session_id(web: FlaskClient) -> str:
    created: str = web.post(SESSIONS).json["session_id"]
    return created


def post(web: FlaskClient, session_id: str, data: bytes, content_type: str = "image/jpeg") -> TestResponse:
    head = f'--x\r\nContent-Disposition: form-data; name="image"; filename="f"\r\nContent-Type: {content_type}\r\n\r\n'
    return web.post(
        f"{SESSIONS}/{session_id}/frame",
        data=head.encode() + data + b"\r\n--x--\r\n",
        content_type="multipart/form-data; boundary=x",
    )


def face() -> Image.Image:
    """A person before a wall: the portrait that scikit-image ships (NASA, public domain)."""
    return Image.fromarray(skimage.data.astronaut()[:360, :480])


def encode(image: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def sixteen_bits() -> bytes:
    """A PNG of 16 bits a colour, which Pillow does not write."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    pixels = np.asarray(face()).astype(">u2") * 257
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    header = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], 16, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 1)) + chunk(b"IEND", b"")


def turned(orientation: int, back: Image.Transpose) -> bytes:
    """As a phone stores it: lying, with the word on how to turn it."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encode(face().transpose(back), exif=exif)


GOOD: dict[str, Callable[[], bytes]] = {
    "jpeg": lambda: encode(face(), quality=90),
    "progressive jpeg": lambda: encode(face(), progressive=True),
    "grey jpeg": lambda: encode(face().convert("L")),
    "cmyk jpeg": lambda: encode(face().convert("CMYK")),
    "png": lambda: encode(face(), "PNG"),
    "grey png": lambda: encode(face().convert("L"), "PNG"),
    "grey png with alpha": lambda: encode(face().convert("LA"), "PNG"),
    "png with alpha": lambda: encode(face().convert("RGBA"), "PNG"),
    "png with a palette": lambda: encode(face().quantize(), "PNG"),
    "png of 16 bits": sixteen_bits,
    "grey png of 16 bits": lambda: encode(
        Image.fromarray(np.asarray(face().convert("L")).astype(np.uint16) * 257), "PNG"
    ),
    "exif: turn right": lambda: turned(6, Image.Transpose.ROTATE_90),
    "exif: turn left": lambda: turned(8, Image.Transpose.ROTATE_270),
    "exif: upside down": lambda: turned(3, Image.Transpose.ROTATE_180),
    "a phone's 12 megapixels": lambda: encode(face().resize((4000, 3000)), quality=60),
}


@pytest.mark.parametrize("name", GOOD)
def test_a_face_is_seen_in_every_kind_of_picture(
    web: FlaskClient, service: Service, session_id: str, name: str
) -> None:
    answer = post(web, session_id, GOOD[name]())
    assert answer.status_code == 200, answer.text
    assert answer.json["state"] == "in_progress"
    session = service.session(session_id)
    assert session is not None
    assert session.challenges[0].started_at is not None, answer.json["hint"]


@pytest.mark.parametrize("content_type", ["image/png", "text/html", "application/octet-stream"])
def test_the_bytes_decide(web: FlaskClient, service: Service, session_id: str, content_type: str) -> None:
    assert post(web, session_id, encode(face()), content_type).status_code == 200
    session = service.session(session_id)
    assert session is not None
    assert session.challenges[0].started_at is not None


def garbled(kind: str) -> bytes:
    """Whole by its header and its end, and broken between."""
    data = bytearray(encode(face(), kind))
    middle = len(data) // 2
    data[middle : middle + 2000] = bytes(range(250)) * 8
    return bytes(data)


BAD: dict[str, tuple[Callable[[], bytes], str]] = {
    "one pixel": (lambda: encode(Image.new("RGB", (1, 1)), "PNG"), "image_too_small"),
    "one row": (lambda: encode(Image.new("RGB", (640, 1))), "image_too_small"),
    "a png without pixels": (
        lambda: (
            b"\x89PNG\r\n\x1a\n"
            + struct.pack(">I4sIIBBBBBI", 13, b"IHDR", 640, 480, 8, 2, 0, 0, 0, 0)
            + struct.pack(">I4sI", 0, b"IEND", 0xAE426082)
        ),
        "not_an_image",
    ),
    "a jpeg without tables": (
        lambda: b"\xff\xd8\xff\xc0\0\x0b\x08\x01\xe0\x02\x80\x01\x01\x11\0\xff\xda\0\x08\x01\x01\0\0\x3f\0\x55\xff\xd9",
        "not_an_image",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_judged_is_refused_and_changes_nothing(
    web: FlaskClient, service: Service, session_id: str, name: str
) -> None:
    make, code = BAD[name]
    answer = post(web, session_id, make())
    assert (answer.status_code, answer.json["code"]) == (422, code)
    session = service.session(session_id)
    assert session is not None
    assert session.state == "pending"
    assert service.frames_of(session_id) == 0


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_garbled_picture_is_never_a_fault(web: FlaskClient, service: Service, session_id: str, kind: str) -> None:
    """Decoders make what they can of it: it may be refused or seen, but it ends nothing and passes nothing."""
    answer = post(web, session_id, garbled(kind))
    assert answer.status_code in (200, 422)
    if answer.status_code == 200:
        assert not answer.json["passed"]
    session = service.session(session_id)
    assert session is not None
    assert not session.ended


def test_no_face_says_what_to_do(web: FlaskClient, service: Service, session_id: str) -> None:
    answer = post(web, session_id, encode(Image.new("RGB", (640, 480), "grey")))
    assert answer.status_code == 200
    assert answer.json["hint"]["code"] == "no_face"
    session = service.session(session_id)
    assert session is not None
    assert session.challenges[0].started_at is None, "no clock runs without a face"
