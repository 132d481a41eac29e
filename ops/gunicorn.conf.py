# ruff: noqa: N999 - gunicorn's own name for its configuration
"""How gunicorn serves the API: `gunicorn -c ops/gunicorn.conf.py 'api:create_app()'` in the project's directory.

What an operator sets is in shared/settings.py: BIND, PORT, WEB_CONCURRENCY, WEB_THREADS, LOG_LEVEL.
"""

from __future__ import annotations

import gc
import os
import resource
import socket
import sys
from contextlib import suppress
from pathlib import Path

# gunicorn reads this file before the application, so our packages are not yet on the path.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from gunicorn.glogging import Logger

from api import open_mode
from api.access import announce
from api.open_mode import State
from shared.at_start import refuse_unusable
from shared.settings import load_settings_or_exit, refuse
from shared.telemetry.logs import configure_logging

_settings = load_settings_or_exit()
if os.environ.pop("SCRIPT_NAME", None) is not None:
    # gunicorn would refuse requests without this path; the app takes them with it and without.
    os.environ["BASE_PATH"] = _settings.base_path
configure_logging(_settings)
refuse_unusable(_settings)


class _OurLogs(Logger):
    """Logs gunicorn's own lines in the service's format."""

    def setup(self, cfg: object) -> None:
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True


def _everywhere(port: int) -> list[str]:
    """The addresses to bind: [::], beside it 0.0.0.0 if the system does not serve IPv4 by it; 0.0.0.0 alone without IPv6."""
    with suppress(OSError), socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
        probe.bind(("::", 0))
        apart = bool(probe.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY))
        return [f"[::]:{port}", f"0.0.0.0:{port}"] if apart else [f"[::]:{port}"]
    return [f"0.0.0.0:{port}"]


def _here(port: int) -> list[str]:
    """The loopback addresses to bind: ::1 only if the system has IPv6."""
    with suppress(OSError), socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
        probe.bind(("::1", 0))
        return [f"127.0.0.1:{port}", f"[::1]:{port}"]
    return [f"127.0.0.1:{port}"]


def _named(addresses: str, port: int) -> list[str]:
    """The addresses of BIND."""
    found = (address.strip() for address in addresses.split(","))
    return [f"[{address}]:{port}" if ":" in address else f"{address}:{port}" for address in found]


def _open_more(files: int) -> None:
    """Raise the limit of open files of this process and its children to `files`, as far as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = files if hard == resource.RLIM_INFINITY else min(files, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


_state = open_mode.state(_settings)
if _state is State.LOST:
    refuse(
        f"Not started: this service has asked for API keys before, as {_settings.state_dir / open_mode.CLOSED} says, and "
        "the database that DATABASE_URL names has none. Mend DATABASE_URL, or set AUTH=required; delete that file only if "
        "the service is to be open again."
    )
if _settings.bind:
    bind = _named(_settings.bind, _settings.port)
else:
    # While the state is not known, no call that needs a key is answered, and an open app refuses other machines.
    bind = _here(_settings.port) if _state is State.OPEN else _everywhere(_settings.port)

# Threads, not processes: a frame's request only waits for its answer.
worker_class = "api.serving.worker.ReceivingWorker"
workers = _settings.web_concurrency
threads = _settings.web_threads
#: Open connections of a process; a further one replaces the connection that has been waited for longest.
worker_connections = 1000
# Connections, and what threads hold beside them (Redis, the database); many systems' limit is 1024.
_open_more(4096)
# The app is loaded once and shared by fork; api.resources connects to nothing before the fork.
preload_app = True

#: Seconds that a stopping process has to answer the frames that it has taken.
graceful_timeout = int(_settings.frame_deadline) + 5
#: Seconds after which a process is killed whose main loop (not a request) shows no sign of life.
timeout = 30
#: Seconds that an idle connection stays open: longer than a load balancer's usual 60, so that the balancer closes first
#: and no request meets a closing connection.
keepalive = 75


def pre_fork(server: object, worker: object) -> None:  # noqa: ARG001 - gunicorn gives them
    """Exclude loaded objects from garbage collection, which would write to each of them and so copy each shared page."""
    gc.collect()
    gc.freeze()


def post_worker_init(worker: object) -> None:
    """Log whether the service asks for API keys; after the fork, since this looks into the database."""
    open_mode.watch(worker.wsgi)  # type: ignore[attr-defined]
    announce(worker.wsgi)  # type: ignore[attr-defined]


# Each request is one structured line of the app's own (api.context), with its id.
accesslog = None
logger_class = _OurLogs
loglevel = _settings.log_level.lower()

# A proxy's SCRIPT_NAME is believed as its other headers are: only if there is one.
forwarder_headers = "SCRIPT_NAME" if _settings.trusted_proxies else ""

# For read-only containers: signs of life go to memory, and there is no control socket.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - gunicorn makes an unlinked file there
control_socket_disable = True
