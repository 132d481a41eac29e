"""Plain forms are read as werkzeug reads them, or left to it."""

from __future__ import annotations

import io

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from werkzeug.formparser import FormDataParser

from api.multipart import only_file

PLAIN = b'--x\r\nContent-Disposition: form-data; name="image"; filename="f.jpg"\r\n\r\nabc\r\n--x--\r\n'

#: What forms are made of, and what looks like it.
PIECES = st.sampled_from(
    [
        b"--x",
        b"--xy",
        b"--",
        b"\r\n",
        b"\r",
        b"\n",
        b" ",
        b'Content-Disposition: form-data; name="image"; filename="f"',
        b'Content-Disposition: form-data; name="image"',
        b'Content-Disposition: form-data; name="image"; filename=""',
        b'content-disposition: form-data; name="image"; filename="f"',
        b'Content-Disposition: form-data; filename="f"; name="image"',
        b'Content-Disposition: attachment; name="image"; filename="f"',
        b"Content-Type: image/jpeg",
        b"\r\n\r\n",
        b"abc",
        b"\xff\xd8",
    ]
)


def by_werkzeug(body: bytes) -> list[tuple[str | None, bytes]] | str:
    """All files, by name; or what is wrong."""
    parser = FormDataParser(stream_factory=lambda *_, **__: io.BytesIO(), silent=False)
    try:
        _, form, files = parser.parse(io.BytesIO(body), "multipart/form-data", len(body), {"boundary": "x"})
    except ValueError as error:
        return repr(error)
    assert not form
    return [(name, file.read()) for name, file in files.items(multi=True)]


@given(st.lists(PIECES, max_size=6), st.lists(PIECES, max_size=6))
@example([], [])
@example([b"\r\n"], [])
@example([b"\n--x--"], [])
@example([b"\r\n--x\r\n"], [])
@example([], [b"--x--"])
def test_what_is_read_is_what_werkzeug_reads(within: list[bytes], after: list[bytes]) -> None:
    begin, _, _ = PLAIN.partition(b"abc")
    for body in (
        begin + b"".join(within) + b"\r\n--x--\r\n" + b"".join(after),
        begin + b"".join(within) + b"--x--" + b"".join(after),
        b"--x\r\n" + b"".join(within) + b"".join(after) + b"\r\n--x--\r\n",
    ):
        found = only_file(body, "x")
        if found is not None:
            assert by_werkzeug(body) == [found]


@pytest.mark.parametrize("content", [b"", b"abc", b"\r\n", b"--", b"\r\n--y--\r\n", bytes(range(256)) * 300])
def test_what_the_usual_clients_send_is_plain(content: bytes) -> None:
    request = httpx.Request("POST", "http://x", files={"image": ("f.jpg", content, "image/jpeg")})
    boundary = request.headers["Content-Type"].partition("boundary=")[2]
    assert only_file(request.read(), boundary) == ("image", content)
    # As browsers and curl write it.
    head = b'Content-Disposition: form-data; name="image"; filename="blob"\r\nContent-Type: image/jpeg\r\n\r\n'
    boundary = "----WebKitFormBoundary7MA4YWxkTrZu0gW"
    body = b"--%b\r\n%b%b\r\n--%b--\r\n" % (boundary.encode(), head, content, boundary.encode())
    assert only_file(body, boundary) == ("image", content)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\r\n" + PLAIN,
        PLAIN[2:],
        PLAIN[:-1],
        PLAIN[:-5],
        PLAIN + b"more",
        PLAIN.replace(b"\r\n\r\n", b"\r\nX-Own: 1\r\n\r\n"),
        PLAIN.replace(b"f.jpg", b"f%22.jpg"),
        PLAIN.replace(b"f.jpg", b'f\\".jpg'),
        PLAIN.replace(b"f.jpg", b"f" * 2000),
        PLAIN.replace(b"; filename", b"; filename*"),
        PLAIN.replace(b"abc", b"ab\r\n--x\r\nc"),
        PLAIN.replace(b"abc\r\n--x--", b"abc\n--x--"),
        PLAIN.replace(b"abc\r\n--x--", b"--x--"),
    ],
)
def test_anything_else_is_left_to_werkzeug(body: bytes) -> None:
    assert only_file(body, "x") is None


def test_a_boundary_is_of_ascii_and_not_empty() -> None:
    assert only_file(PLAIN, "x") == ("image", b"abc")
    assert only_file(PLAIN.replace(b"--x", b"--"), "") is None
    with pytest.raises(ValueError, match="ascii"):
        only_file(PLAIN, "ä")
