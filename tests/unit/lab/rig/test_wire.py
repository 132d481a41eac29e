"""The load's own HTTP, before a server that says exactly what the test wants."""

from __future__ import annotations

import asyncio

import pytest

from ops.lab.rig.wire import Connection, Reply, form, request


async def asked(*pieces: bytes, times: int = 1) -> list[Reply]:
    """The replies of one connection to a server that sends these pieces for each request, and then hangs up."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(times):
            await reader.readuntil(b"\r\n\r\n")
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        connection = await Connection.to(server.sockets[0].getsockname()[:2])
        try:
            return [await connection.ask(request("GET", "/")) for _ in range(times)]
        finally:
            connection.close()


def test_a_reply_that_comes_in_pieces_is_put_together():
    (reply,) = asyncio.run(asked(b"HTTP/1.1 200 OK\r\nContent-Le", b"ngth: 4\r\n\r\n{", b'"":'))
    assert reply == Reply(200, b'{"":', keep_alive=True)


def test_a_connection_is_used_again():
    replies = asyncio.run(asked(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", times=3))
    assert [reply.status for reply in replies] == [503] * 3


def test_a_connection_that_is_to_be_closed_is_not_kept():
    (reply,) = asyncio.run(asked(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\n!"))
    assert not reply.keep_alive


def test_a_reply_that_breaks_off_is_an_error():
    with pytest.raises(ConnectionError):
        asyncio.run(asked(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"))


def test_a_reply_without_a_length_is_an_error():
    with pytest.raises(ValueError, match="length"):
        asyncio.run(asked(b"HTTP/1.1 200 OK\r\n\r\n"))


def test_a_request_tells_the_length_of_its_form():
    head, body = request("POST", "/x", form(b"picture"), "multipart/form-data")
    assert f"Content-Length: {len(body)}\r\n".encode() in head
    assert b'name="image"' in body
    assert b"\r\n\r\npicture\r\n--" in body
