"""Ports for servers of our own."""

from __future__ import annotations

import socket

import pytest

from ops.run import ports


def test_a_port_is_free_given_once_and_none_that_a_client_may_get(monkeypatch: pytest.MonkeyPatch) -> None:
    free, taken = ports.free_port(), ports.free_port()
    assert free != taken
    assert {free, taken} < set(range(1024, 32768))
    with socket.create_server(("127.0.0.1", taken)):
        monkeypatch.setattr(ports, "OURS", [free, taken])
        monkeypatch.setattr(ports, "_given", set())
        assert ports.free_port() == free
        with pytest.raises(RuntimeError, match="no free port"):
            ports.free_port()


def test_a_server_with_two_ports_gets_none_that_a_client_may_get() -> None:
    """Redis opens its cluster's bus 10,000 above its own port: beyond 32,768 an outgoing connection may hold that."""
    for _ in range(50):
        assert ports.free_port(also=10_000) < ports.OURS.stop - 10_000


def test_the_second_port_is_free_too(monkeypatch: pytest.MonkeyPatch) -> None:
    one = ports.free_port(also=1)
    monkeypatch.setattr(ports, "OURS", [one, one + 1])
    monkeypatch.setattr(ports, "_given", set())
    with socket.create_server(("127.0.0.1", one + 1)), pytest.raises(RuntimeError, match="no free port"):
        ports.free_port(also=1)
