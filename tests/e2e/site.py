"""The whole service for a browser: web behind gunicorn, workers with their models, Redis and rows; web may go and come."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from ops.run.ports import free_port
from shared.queue.messages import FRAMES, IDENTITY
from tests.integration.workers.service import ROOT, Service, end_with_children
from tests.waiting import PATIENCE


class Site:
    """A running service at `url`, until `close`."""

    def __init__(self, redis_url: str, directory: Path, models: Path, **environment: str) -> None:
        self._directory = directory
        self._service = Service(redis_url, directory, models_dir=models, port=free_port())
        self.settings = self._service.settings
        self.url = f"http://localhost:{self.settings.port}"
        own = {name.upper(): str(value) for name, value in self.settings.model_dump(exclude_none=True).items()}
        self._environment = os.environ | own | {"STATE_DIR": str(directory / "state")}
        self._environment |= {"ALLOWED_HOSTS": "plain.example"} | environment  # a name without HTTPS, for one test
        self._web: subprocess.Popen[bytes] | None = None
        for queue in (FRAMES, IDENTITY):  # both at once: each takes seconds to load its models
            self._service.start_process("workers.main", queue)
        self.start_web()
        self._wait_until_ready()

    def start_web(self) -> None:
        """Start the web process; returns when it answers."""
        self._web = self._start(self.url, self._environment)

    def stop_web(self) -> None:
        """Take the web process away; frames on their way get no answer."""
        if self._web is not None:
            end_with_children(self._web)
            self._web = None

    @contextlib.contextmanager
    def beside(self, **environment: str) -> Iterator[str]:
        """Another web process over the same rows, Redis and workers, with other settings; its address."""
        port = free_port()
        url = f"http://localhost:{port}"
        web = self._start(url, self._environment | {"PORT": str(port)} | environment)
        try:
            yield url
        finally:
            end_with_children(web)

    def close(self) -> None:
        """Stop all of it."""
        self.stop_web()
        self._service.close()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while (answer := httpx.get(f"{self.url}/readyz", timeout=10)).status_code != 200:
            assert time.monotonic() < deadline, [answer.text, *(worker.log for worker in self._service.workers)]
            time.sleep(0.1)

    def _start(self, url: str, environment: dict[str, str]) -> subprocess.Popen[bytes]:
        with (self._directory / "web.log").open("ab") as log:
            web = subprocess.Popen(
                [sys.executable, "-m", "gunicorn", "-c", "ops/gunicorn.conf.py", "api:create_app()"],
                cwd=ROOT,
                env=environment,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + PATIENCE
        while True:
            with contextlib.suppress(httpx.HTTPError):
                httpx.get(f"{url}/livez", timeout=2)
                return web
            assert web.poll() is None, (self._directory / "web.log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)
