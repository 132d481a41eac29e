"""The whole service for a browser: web behind gunicorn, workers with their models, Redis and rows; web may go and come."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

import httpx
import psutil

from shared.messages import IDENTITY
from tests.integration.ports import free_port
from tests.integration.workers.service import ROOT, Service


class Site:
    """A running service at `url`, until `close`."""

    def __init__(self, redis_url: str, directory: Path, models: Path, **environment: str) -> None:
        self._directory = directory
        self._service = Service(redis_url, directory, models_dir=models, port=free_port())
        self.settings = self._service.settings
        self.url = f"http://localhost:{self.settings.port}"
        own = {name.upper(): str(value) for name, value in self.settings.model_dump(exclude_none=True).items()}
        self._environment = os.environ | own | environment
        self._web: subprocess.Popen[bytes] | None = None
        self._service.start_workers(1, "workers.main")
        self._service.start_workers(1, "workers.main", IDENTITY)
        self.start_web()

    def start_web(self) -> None:
        """Start the web process; returns when it answers."""
        with (self._directory / "web.log").open("ab") as log:
            self._web = subprocess.Popen(
                [sys.executable, "-m", "gunicorn", "-c", "ops/gunicorn.conf.py", "api:create_app()"],
                cwd=ROOT,
                env=self._environment,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + 20
        while True:
            with contextlib.suppress(httpx.HTTPError):
                httpx.get(f"{self.url}/livez", timeout=2)
                return
            assert self._web.poll() is None, (self._directory / "web.log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def stop_web(self) -> None:
        """Take the web process away; frames on their way get no answer."""
        if self._web is not None:
            children = psutil.Process(self._web.pid).children(recursive=True)
            self._web.kill()
            for child in children:
                child.kill()
            psutil.wait_procs(children, timeout=5)
            self._web.wait()
            self._web = None

    def close(self) -> None:
        """Stop all of it."""
        self.stop_web()
        self._service.close()
