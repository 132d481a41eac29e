"""The rig's nginx for tests, with server blocks of the test's own."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ops.lab.rig.balancer import nginx
from ops.lab.rig.processes import Missing
from tests.waiting import until

#: What a proxy before the service needs, as in ops/deploy/nginx, apart from its `server` blocks.
_PROXY = """
    client_max_body_size 8m;
    client_body_buffer_size 8m;
    proxy_max_temp_file_size 0;
    proxy_http_version 1.1;
    proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
"""


@contextmanager
def running_nginx(directory: Path, servers: str, *ports: int) -> Iterator[None]:
    """nginx with these `server { … }` blocks, which listen on the ports; skipped without nginx, an error in CI."""
    try:
        process = nginx(directory, _PROXY + servers)
    except Missing as missing:
        if os.environ.get("CI"):
            pytest.fail(f"this machine lacks {missing}; in CI it must be installed", pytrace=False)
        pytest.skip(f"this machine lacks {missing}")
    process.start()
    try:
        until(lambda: all(_listens(port) for port in ports))
        yield
    finally:
        process.kill()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
