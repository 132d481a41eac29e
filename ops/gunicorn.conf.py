# ruff: noqa: N999 - gunicorn's own name for it
"""How gunicorn serves the API: `gunicorn -c ops/gunicorn.conf.py 'api:create_app()'` in the project's directory.

All that an operator sets is in shared/settings.py: PORT, WEB_CONCURRENCY, WEB_THREADS, LOG_LEVEL.
"""

from __future__ import annotations

import gc
import resource
import socket
import sys
from contextlib import suppress
from pathlib import Path

# gunicorn reads this file before it looks for the application, and so before it knows where our packages are.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from gunicorn.glogging import Logger

from shared.settings import load_settings_or_exit
from shared.telemetry.logs import configure_logging

_settings = load_settings_or_exit()
configure_logging(_settings)


class _OurLogs(Logger):
    """gunicorn's own lines in the same form as all others."""

    def setup(self, cfg: object) -> None:
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True


def _addresses(port: int) -> list[str]:
    """[::], which takes IPv4 too; with 0.0.0.0 beside it where the system keeps them apart, alone where IPv6 is not."""
    with suppress(OSError), socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
        probe.bind(("::", 0))
        apart = bool(probe.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY))
        return [f"[::]:{port}", f"0.0.0.0:{port}"] if apart else [f"[::]:{port}"]
    return [f"0.0.0.0:{port}"]


def _open_more(files: int) -> None:
    """Let this process and its children have so many open files, where the system allows it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = files if hard == resource.RLIM_INFINITY else min(files, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


bind = _addresses(_settings.port)

# A frame holds its thread until its answer has come, and does nothing meanwhile: threads, not processes.
worker_class = "api.serving.worker.ReceivingWorker"
workers = _settings.web_concurrency
threads = _settings.web_threads
#: Connections that a process holds at once; whoever comes next gets the place of the one that is waited for longest.
worker_connections = 1000
# These, and what threads hold beside them (Redis, the database): many systems begin with 1024.
_open_more(4096)
# Loaded once and shared by fork. api.resources connects to nothing before it.
preload_app = True

#: Seconds. A stopping process lets the frames that it has taken be answered.
graceful_timeout = int(_settings.frame_deadline) + 5
#: Seconds without a sign of life of a process's main loop (not of a request) after which it is killed.
timeout = 30
#: Seconds that an idle connection stays open: longer than a load balancer's usual 60, so that it closes first and no
#: request meets a closing connection. A client that sends ten frames a second needs far less.
keepalive = 75


def pre_fork(server: object, worker: object) -> None:  # noqa: ARG001 - gunicorn gives them
    """What is loaded stays shared: a process's garbage collector would write to each object of it, and copy each page."""
    gc.collect()
    gc.freeze()


def post_worker_init(worker: object) -> None:
    """Each process says whether it asks for keys: after the fork, since it looks into the database."""
    from api.access import announce  # loaded with the app by now; this file was read before it

    announce(worker.wsgi)  # type: ignore[attr-defined]


# Each request is one structured line of the app's own (api.context), with its id.
accesslog = None
logger_class = _OurLogs
loglevel = _settings.log_level.lower()

# Nothing is written beside what a read-only container allows: signs of life into memory, no control socket.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - gunicorn makes an unlinked file there
control_socket_disable = True
