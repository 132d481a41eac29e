"""nginx as the balancer of a stack, with the configuration that ops/deploy/nginx ships."""

from __future__ import annotations

import re
import shutil
import socket
from collections.abc import Sequence
from pathlib import Path

from ops.lab.rig.places import Place
from ops.lab.rig.processes import Missing, Process, wait_for
from ops.run.ports import free_port

TEMPLATE = Path(__file__).resolve().parents[2] / "deploy" / "nginx" / "liveness.conf.template"

#: Seconds for which nginx does not use a web process that refused a connection.
_FAIL_TIMEOUT = 1

#: Stands for the machine's own nginx.conf: everything that is not about the service.
_AROUND = """
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
    {http}
}}
"""


def filled_in(template: str, **values: str) -> str:
    """The template with its values, as envsubst would fill it in; other names, such as nginx' own variables, stay."""
    return re.sub(r"\$\{(\w+)\}", lambda found: values.get(found[1], found[0]), template)


def nginx(directory: Path, http: str, prefix: Sequence[str] = ()) -> Process:
    """An nginx with a configuration of its own, not started yet. Raises Missing.

    directory: for its files; http: the rest of the block `http`; prefix: the command that runs it elsewhere.
    """
    program = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    if program is None:
        raise Missing("nginx")
    directory.mkdir(parents=True, exist_ok=True)
    configuration = directory / "nginx.conf"
    configuration.write_text(_AROUND.format(directory=directory, http=http))
    command = [*prefix, program, "-p", str(directory), "-e", str(directory / "nginx.log"), "-c", str(configuration)]
    return Process("nginx", command, log=directory / "output")


class Balancer:
    """An nginx that passes requests on to the web processes. Raises Missing."""

    def __init__(self, directory: Path, addresses: list[str], place: Place) -> None:
        """addresses: `host:port` of each web process that may run."""
        self.process = nginx(directory, f"include {directory}/liveness.conf;", place.prefix)
        self.host, self.port = place.host, free_port()
        servers = " ".join(f"server {a} max_fails=1 fail_timeout={_FAIL_TIMEOUT}s;" for a in addresses)
        listen = f"{self.host}:{self.port} backlog=1024"
        text = filled_in(TEMPLATE.read_text(), LISTEN=listen, WEB_SERVERS=servers, READ_TIMEOUT="15s")
        (directory / "liveness.conf").write_text(text)

    def start(self) -> None:
        """Start nginx; returns when it accepts connections."""
        self.process.start()
        wait_for(self._listens, 10, f"nginx did not listen: {self.process.log_end()}")

    def stop(self) -> None:
        """Kill nginx."""
        self.process.kill()

    def _listens(self) -> bool:
        try:
            socket.create_connection((self.host, self.port), timeout=1).close()
        except OSError:
            return False
        return True
