"""docs/recipes: each file runs as it is, against the real service, from the session's creation to the verdict."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import flask
import httpx
import pytest
import redis
from standardwebhooks import Webhook
from werkzeug.serving import make_server

from ops.run.ports import free_port
from shared import api_keys
from shared.api_keys import Role
from shared.db import UnitOfWork
from shared.webhooks import new_secret
from tests.integration.redis_server import RedisServer
from tests.integration.workers.scripted_worker import Script
from tests.integration.workers.service import ROOT, Service, end_with_children
from tests.node_packages import require_node
from tests.waiting import PATIENCE, until

RECIPES = ROOT / "docs" / "recipes"
SESSIONS = "/api/v1/liveness/sessions"
HOOKS = "/api/v1/webhooks"

#: How each recipe is started; each has a process for all tests here.
PROGRAMS: dict[str, Callable[[Path], list[str | Path]]] = {
    "flask": lambda _: [sys.executable, RECIPES / "flask_app.py"],
    "fastapi": lambda _: [sys.executable, RECIPES / "fastapi_app.py"],
    "django": lambda _: [sys.executable, RECIPES / "django_app.py"],
    "express": lambda folder: ["node", folder / "express_app.mjs"],
}


class Line:
    """What is between a recipe and the service: it passes on every request, or answers that the service is busy."""

    def __init__(self, service: str) -> None:
        self.busy = False
        self.asked: list[str] = []
        self._service = service
        app = flask.Flask(__name__)
        for rule in ("/", "/<path:path>"):
            app.add_url_rule(rule, view_func=self._pass, methods=["GET", "POST"], endpoint=rule)
        self._server = make_server("127.0.0.1", 0, app, threaded=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _pass(self, path: str = "") -> flask.Response:
        asked = flask.request
        self.asked.append(f"{asked.method} {asked.full_path}")
        if self.busy:
            answer = flask.jsonify(code="overloaded", detail="Come again.")
            answer.status_code, answer.headers["Retry-After"] = 503, "7"
            return answer
        headers = {name: value for name, value in asked.headers if name in {"Authorization", "Content-Type"}}
        body = asked.get_data()
        got = httpx.request(
            asked.method, self._service + asked.full_path, headers=headers, content=body, timeout=PATIENCE
        )
        return flask.Response(got.content, got.status_code, content_type=got.headers["Content-Type"])


@dataclass
class Running:
    """The service, behind its own web server and with the process that delivers webhooks."""

    service: Service
    line: Line
    http: httpx.Client
    key: str
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, name: str, *program: str | Path, **environment: str) -> subprocess.Popen[bytes]:
        with (self.service.directory / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(program, cwd=ROOT, env=os.environ | environment, stdout=log, stderr=log)
        self.processes.append(process)
        return process

    def log(self, name: str) -> str:
        return (self.service.directory / f"{name}.log").read_text()

    def finish(self, session_id: str) -> None:
        """Let the person do what is asked for."""
        until(lambda: answered(self.service.post(session_id, Script(passes=True))), pause=0.05)

    def delivered(self, hook: str) -> bool:
        deliveries = self.http.get(f"{HOOKS}/{hook}/deliveries").json()["deliveries"]
        return bool(deliveries) and all(each["status"] == "delivered" for each in deliveries)


def answered(answer: Any) -> bool:
    assert answer.problem is None, answer.problem
    return answer.result.state == "completed"


@pytest.fixture(scope="module")
def running(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with redis.Redis.from_url(redis_server.url) as client:
        client.flushall()
    directory = tmp_path_factory.mktemp("recipes")
    port = free_port()
    service = Service(redis_server.url, directory, port=port, auth="required", webhooks_private=True, identity="off")
    given, key = api_keys.make("a backend", Role.SERVER, time.time())
    with UnitOfWork(service.engine) as uow:
        uow.keys.add(key)
        uow.commit()
    url = f"http://127.0.0.1:{port}"
    http = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {given}"}, timeout=PATIENCE)
    running = Running(service, Line(url), http, given)
    own = {name.upper(): str(value) for name, value in service.settings.model_dump(exclude_none=True).items()}
    own |= {"STATE_DIR": str(directory / "state")}
    try:
        worker = service.start_process("tests.integration.workers.scripted_worker:main")
        web = [sys.executable, "-m", "gunicorn", "-c", "ops/gunicorn.conf.py", "api:create_app()"]
        running.start("web", *web, **own)
        running.start("events", sys.executable, "-m", "workers.events", **own)
        until(lambda: alive(running, "web") and listens(url, "/readyz"), 2 * PATIENCE)
        assert not worker.has_ended, worker.log
        yield running
    finally:
        for process in running.processes:
            if process.poll() is None:
                end_with_children(process)
        http.close()
        running.line.close()
        service.close()


def listens(url: str, path: str = "/") -> bool:
    try:
        return httpx.get(url + path, timeout=PATIENCE).status_code == 200
    except httpx.TransportError:
        return False


def alive(running: Running, name: str) -> bool:
    assert running.processes[-1].poll() is None, running.log(name)
    return True


@dataclass
class Recipe:
    """A recipe that runs, as the browser and the service meet it."""

    http: httpx.Client
    hook: str
    secret: str
    name: str

    def create(self) -> httpx.Response:
        token = self.http.get("/").cookies.get("csrftoken") or ""  # of Django only
        return self.http.post("/session", json={"exclude": ["BLINK"]}, headers={"X-CSRFToken": token})


@pytest.fixture(scope="module", params=PROGRAMS)
def recipe(
    request: pytest.FixtureRequest, running: Running, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Recipe]:
    name = request.param
    folder = tmp_path_factory.mktemp(name)
    if name == "express":
        (folder / "node_modules").symlink_to(require_node() / "node_modules")
        (folder / "express_app.mjs").write_text((RECIPES / "express_app.mjs").read_text())
    port = free_port()
    url = f"http://localhost:{port}"
    types = ["liveness.session.completed", "liveness.session.failed"]
    made = running.http.post(HOOKS, json={"url": f"http://127.0.0.1:{port}/webhook", "types": types})
    hook = made.raise_for_status().json()
    environment = {
        "LIVENESS_URL": running.line.url,
        "LIVENESS_KEY": running.key,
        "LIVENESS_WEBHOOK_SECRET": hook["secret"] + "\n",
        "PORT": str(port),
        "PYTHONPATH": str(ROOT / "api" / "clients" / "python"),
    }
    process = running.start(name, *PROGRAMS[name](folder), **environment)
    until(lambda: alive(running, name) and listens(url))
    with httpx.Client(base_url=url, timeout=PATIENCE) as http:
        yield Recipe(http, hook["id"], hook["secret"], name)
    end_with_children(process)
    running.http.delete(f"{HOOKS}/{hook['id']}")


def test_a_session_goes_from_its_creation_to_its_verdict(recipe: Recipe, running: Running) -> None:
    page = recipe.http.get("/")
    assert f'<liveness-check api="{running.line.url}/api/v1/liveness"' in page.text
    assert running.key not in page.text
    made = recipe.create()
    assert made.status_code == 200, made.text
    session_id, token = made.json()["session_id"], made.json()["token"]
    assert running.key not in made.text
    asked = running.http.get(f"{SESSIONS}/{session_id}").json()
    assert asked["asked"]["num_challenges"] == 3
    assert asked["asked"]["reveal"] == "next"
    assert "BLINK" not in asked["asked"]["challenge_types"]
    assert asked["subject"]
    own = httpx.get(f"{running.line.url}{SESSIONS}/{session_id}", headers={"Authorization": f"Bearer {token}"})
    assert own.status_code == 200, "the token opens the session"

    early = recipe.http.get(f"/result/{session_id}")
    assert (early.status_code, early.json()) == (409, {"error": "not_ended"})
    running.finish(session_id)
    until(lambda: running.delivered(recipe.hook))
    result = recipe.http.get(f"/result/{session_id}")
    assert (result.status_code, result.json()) == (200, {"live": True, "state": "completed", "told": True})


def test_a_session_that_is_not_over_or_not_ones_own_has_no_verdict(recipe: Recipe, running: Running) -> None:
    unknown = recipe.http.get("/result/00000000-0000-4000-8000-000000000000")
    assert (unknown.status_code, unknown.json()) == (404, {"error": "not_found"})
    session_id = recipe.create().json()["session_id"]
    running.http.delete(f"{SESSIONS}/{session_id}").raise_for_status()
    gone = recipe.http.get(f"/result/{session_id}")
    assert (gone.status_code, gone.json()) == (404, {"error": "session_not_found"})


def test_a_call_that_the_service_did_not_make_is_refused(recipe: Recipe) -> None:
    now = datetime.now(UTC)
    body = json.dumps({"type": "liveness.session.completed", "subject": "s", "data": {"is_live": True}})

    def signed(at: datetime, secret: str = recipe.secret) -> dict[str, str]:
        signature = Webhook(secret).sign("e-1", at, body)
        sent_at = str(int(at.timestamp()))
        return {"webhook-id": "e-1", "webhook-timestamp": sent_at, "webhook-signature": signature}

    def status(headers: dict[str, str], body: str = body) -> int:
        return recipe.http.post("/webhook", content=body, headers=headers).status_code

    assert status(signed(now)) == 204
    assert status(signed(now), body.replace("true", "false")) == 401, "changed"
    assert status(signed(now - timedelta(seconds=400))) == 401, "sent again later"
    assert status(signed(now, new_secret())) == 401, "another's secret"
    for wrong in ("", "v1,", "v1,AAAA", "v1," + "A" * 43 + "="):
        assert status(signed(now) | {"webhook-signature": wrong}) == 401, wrong
    for name in signed(now):
        assert status({key: value for key, value in signed(now).items() if key != name}) == 401, name


def test_a_service_that_is_busy_is_passed_on(recipe: Recipe, running: Running) -> None:
    session_id = recipe.create().json()["session_id"]
    running.line.busy = True
    try:
        for answer in (recipe.create(), recipe.http.get(f"/result/{session_id}")):
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "7"), recipe.name
            assert answer.json() == {"error": "busy"}
    finally:
        running.line.busy = False
    running.http.delete(f"{SESSIONS}/{session_id}").raise_for_status()
