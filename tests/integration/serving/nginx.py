"""An nginx for tests, with a configuration of the test's own."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ops.lab.rig.processes import Process
from tests.waiting import until

_AROUND = """
daemon off;
worker_processes 1;
pid {directory}/nginx.pid;
error_log {directory}/nginx.log warn;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    client_max_body_size 8m;
    client_body_buffer_size 8m;
    proxy_max_temp_file_size 0;
    proxy_http_version 1.1;
    proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    {servers}
}}
"""


@contextmanager
def running_nginx(directory: Path, servers: str, *ports: int) -> Iterator[None]:
    """nginx with these `server { … }` blocks, which listen on the ports; skipped without nginx, an error in CI."""
    program = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("this machine lacks nginx; in CI it must be installed", pytrace=False)
        pytest.skip("this machine lacks nginx")
    (directory / "nginx.conf").write_text(_AROUND.format(directory=directory, servers=servers))
    command = [program, "-p", str(directory), "-e", str(directory / "nginx.log"), "-c", str(directory / "nginx.conf")]
    nginx = Process("nginx", command, log=directory / "nginx.output")
    nginx.start()
    try:
        until(lambda: all(_listens(port) for port in ports))
        yield
    finally:
        nginx.kill()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
