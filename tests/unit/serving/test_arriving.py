"""Where a request ends, whatever pieces it comes in."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.serving.arriving import Arriving

BODY = 100_000
PLAIN = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
SIZED = b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\nhello\r\n\r\n0\r"
CHUNKED = b"POST /a HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n5;a=b\r\nhe\r\no\r\n3\r\n0\r\n\r\n0\r\n\r\n"
FIELDS = CHUNKED[:-2] + b"Sum: 0\r\n\r\n"


def arriving(*pieces: bytes) -> Arriving:
    """A request of which this has come."""
    on_its_way = Arriving(head_limit=2000, body_limit=BODY)
    for piece in pieces:
        on_its_way.take(piece)
    return on_its_way


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


@pytest.mark.parametrize("request_", [PLAIN, SIZED, CHUNKED, FIELDS, b"\r\n" + SIZED, b"GET / HTTP/1.1\r\n\r\n"])
@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_it_ends_where_it_ends_in_whatever_pieces(request_: bytes, data: st.DataObject) -> None:
    following = data.draw(st.sampled_from([b"", b"G", PLAIN, CHUNKED, b"\x16\x03\x01"]))
    sent = request_ + following
    cuts = sorted(data.draw(st.sets(st.integers(1, len(sent) - 1))))
    on_its_way = Arriving(head_limit=2000, body_limit=BODY)
    came = 0
    for start, end in zip([0, *cuts], [*cuts, len(sent)], strict=True):
        assert not on_its_way.over
        on_its_way.take(sent[start:end])
        came = end
        if on_its_way.over:
            break
    assert on_its_way.whole
    assert came >= len(request_) > came - len(on_its_way.split()[1]) - 1
    pieces, rest = on_its_way.split()
    assert b"".join(pieces) == request_
    assert request_ + rest == sent[:came]


@pytest.mark.parametrize("request_", [PLAIN, SIZED, CHUNKED, FIELDS])
def test_it_is_not_over_a_byte_before(request_: bytes) -> None:
    assert not arriving(request_[:-1]).over


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /" + b"a" * 2000,  # a head without an end
        b"GET / HTTP/1.1\nHost: x\n\n",  # lines that end otherwise
        b"POST / HTTP/1.1\r\nContent-Length: 100001\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 0x10\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: ²\r\n\r\n".encode(),
        b"POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        CHUNKED.replace(b"5;a=b", b"+5"),
        CHUNKED.replace(b"5;a=b", b""),
        CHUNKED.replace(b"5;a=b", b"5" + b" " * 9000 + b";")[:9000],
        CHUNKED[:-2] + b"Sum: " + b"a" * 9000,
    ],
)
def test_the_server_is_shown_at_once_what_it_will_not_take(request_: bytes) -> None:
    on_its_way = arriving(request_)
    assert (on_its_way.over, on_its_way.whole) == (True, False)
    pieces, rest = on_its_way.split()
    assert b"".join(pieces) + rest == request_


def test_a_chunked_body_is_given_up_when_more_of_it_has_come_than_may() -> None:
    """And not before: the server counts what it can read, and says so."""
    head = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    on_its_way = arriving(head, *[chunk(bytes(10_000))] * 10)
    assert not on_its_way.over
    on_its_way.take(b"fffffff\r\n\0\0")
    assert not on_its_way.over
    on_its_way.take(b"\0")
    assert (on_its_way.over, on_its_way.whole) == (True, False)


def test_a_body_of_countless_chunks_does_not_take_the_loop() -> None:
    assert arriving(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", chunk(b"a") * 5000).over


@pytest.mark.parametrize(
    ("line", "asks"),
    [
        (b"HTTP/1.1\r\nExpect: 100-Continue", True),
        (b"HTTP/1.0\r\nExpect: 100-continue", False),  # RFC 9110, 10.1.1
        (b"HTTP/1.1\r\nExpect: payment", False),
        (b"HTTP/1.1", False),
    ],
)
def test_whether_it_waits_to_be_told_to_go_on(line: bytes, asks: bool) -> None:
    assert arriving(b"POST / " + line + b"\r\nContent-Length: 5\r\n\r\n").asks is asks


def test_large_bodies_are_handed_on_in_pieces() -> None:
    """gunicorn copies what it has not been asked for with each read."""
    body = bytes(range(256)) * 380
    pieces, rest = arriving(b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body) + body).split()
    assert b"".join(pieces).endswith(b"\r\n\r\n" + body)
    assert max(map(len, pieces)) == 64 * 1024
    assert rest == b""
