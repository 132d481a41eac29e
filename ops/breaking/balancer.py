"""nginx before the web processes, as docs/faults.md advises to set it."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path

from ops.breaking.places import Place
from ops.breaking.processes import Missing, Process, free_port, wait_for

#: Seconds for which a web process that refused a connection is left alone.
_FAIL_TIMEOUT = 1

_CONFIGURATION = """
daemon off;
worker_processes 1;
pid {directory}/nginx.pid;
error_log {directory}/nginx.log warn;
events {{ worker_connections 2048; }}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    client_max_body_size 5m;
    client_body_buffer_size 5m;
    keepalive_timeout 75;
    keepalive_requests 100000;
    upstream web {{
        # No `keepalive`: a request must not meet a connection that a stopping process is just closing. A POST that was
        # sent is never sent again, but one that was refused goes to the next.
{servers}
    }}
    server {{
        listen {host}:{port} backlog=1024;
        location / {{
            proxy_pass http://web;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header X-Request-ID $request_id;
            proxy_connect_timeout 1s;
            proxy_read_timeout 20s;
        }}
    }}
}}
"""


class Balancer:
    """Answers on `port`, and passes requests on to the addresses."""

    def __init__(self, directory: Path, addresses: list[str], place: Place) -> None:
        """addresses: `host:port` of each web process that there may be."""
        program = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
        if program is None:
            raise Missing("nginx")
        directory.mkdir(parents=True, exist_ok=True)
        self.host, self.port = place.host, free_port()
        servers = "\n".join(f"        server {a} max_fails=1 fail_timeout={_FAIL_TIMEOUT}s;" for a in addresses)
        configuration = directory / "nginx.conf"
        configuration.write_text(
            _CONFIGURATION.format(directory=directory, servers=servers, host=self.host, port=self.port)
        )
        command = [*place.prefix, program, "-p", str(directory), "-e", str(directory / "nginx.log")]
        self.process = Process("nginx", [*command, "-c", str(configuration)], log=directory / "output")

    def start(self) -> None:
        """Start it; returns when it takes connections."""
        self.process.start()
        wait_for(self._listens, 10, f"nginx did not listen: {self.process.said()}")

    def stop(self) -> None:
        """End it at once."""
        self.process.kill()

    def _listens(self) -> bool:
        try:
            socket.create_connection((self.host, self.port), timeout=1).close()
        except OSError:
            return False
        return True
