"""Webhooks, from the API to an endpoint that listens, over the real process."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from flask.testing import FlaskClient
from pydantic import SecretStr
from sqlalchemy import Engine, select
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from api import create_app
from shared import resolving
from shared.db import UnitOfWork
from shared.db.tables import webhooks
from shared.db.trail import Action
from shared.db.webhook_secrets import SEALED, Unreadable, WebhookSecrets
from shared.redis.timekeeping import now
from shared.settings import Settings
from shared.telemetry.metrics.table import WEBHOOK_ATTEMPTS
from shared.webhooks import (
    FAILING,
    IN_FLIGHT,
    OPEN_AFTER,
    OVERLAP,
    SCHEDULE,
    Status,
    fault_of,
    is_outside,
    new_secret,
)
from tests.integration.api.contract import Contract
from tests.integration.events.conftest import EventsProcess, live
from tests.waiting import PATIENCE, until
from workers.events import calling
from workers.events.calling import Refused, call
from workers.events.webhooks import Deliverer

HOOKS = "/api/v1/webhooks"


class Endpoint(ThreadingHTTPServer):
    """Remembers what it is sent, and answers as it is told."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook?a=b"


class _Handler(BaseHTTPRequestHandler):
    server: Endpoint

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((dict(self.headers), body))
        status = self.server.answers.pop(0) if self.server.answers else 204
        self.send_response(status)
        if status == 302:
            self.send_header("Location", self.server.url)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    endpoint = Endpoint()
    yield endpoint
    endpoint.shutdown()
    endpoint.server_close()


@pytest.fixture
def client_of(engine: Engine, database_url: str, redis_url: str) -> Iterator[Callable[..., FlaskClient]]:
    apps = []

    def make(**changes: Any) -> FlaskClient:
        settings = Settings(_env_file=None, redis_url=redis_url, database_url=database_url, **changes)
        apps.append(create_app(settings))
        return apps[-1].test_client()

    yield make
    for app in apps:
        app.extensions["resources"].close()


@pytest.fixture
def client(client_of: Callable[..., FlaskClient]) -> FlaskClient:
    return client_of(webhooks_private=True)


def create(client: FlaskClient, url: str, **more: Any) -> dict[str, Any]:
    answer = client.post(HOOKS, json={"url": url, **more})
    assert answer.status_code == 200, answer.json
    made: dict[str, Any] = answer.json
    return made


def test_an_event_comes_signed_to_those_that_want_it(
    engine: Engine, events_url: str, client: FlaskClient, endpoint: Endpoint, start_events: Callable[..., EventsProcess]
) -> None:
    made = create(client, endpoint.url, types=["liveness.session.failed"])
    create(client, endpoint.url + "&other", types=["liveness.session.completed"])
    start_events(events_url, WEBHOOKS_PRIVATE="on")
    (session_id,) = live(engine)
    until(lambda: endpoint.got)
    headers, body = endpoint.got[0]
    event = Verifier(made["secret"]).verify(body, {name.lower(): value for name, value in headers.items()})
    assert event["subject"] == session_id
    assert event["type"] == "liveness.session.failed"
    assert headers["webhook-id"] == event["id"]
    until(lambda: client.get(f"{HOOKS}/{made['id']}/deliveries").json["deliveries"][0]["status"] == "delivered")
    assert len(endpoint.got) == 1
    # Once more, by hand; and a test event, whatever it is for.
    (delivery,) = client.get(f"{HOOKS}/{made['id']}/deliveries").json["deliveries"]
    assert client.post(f"{HOOKS}/{made['id']}/deliveries/{delivery['id']}/redeliver").json == {"event_id": event["id"]}
    until(lambda: len(endpoint.got) == 2)
    assert endpoint.got[1][1] == body
    sent = client.post(f"{HOOKS}/{made['id']}/test").json["event_id"]
    until(lambda: len(endpoint.got) == 3)
    assert json.loads(endpoint.got[2][1])["type"] == "liveness.webhook.test"
    assert endpoint.got[2][0]["webhook-id"] == sent


class Attempts:
    """One endpoint, one delivery, attempted by hand."""

    def __init__(self, engine: Engine, client: FlaskClient, url: str) -> None:
        self.engine, self.client = engine, client
        self.id = create(client, url)["id"]
        client.post(f"{HOOKS}/{self.id}/test")
        self.deliverer = Deliverer(engine, private=True)

    def once(self) -> dict[str, Any]:
        self.deliverer.attempt(self.delivery["id"])
        return self.delivery

    @property
    def delivery(self) -> dict[str, Any]:
        found: dict[str, Any] = self.client.get(f"{HOOKS}/{self.id}/deliveries").json["deliveries"][0]
        return found

    @property
    def webhook(self) -> dict[str, Any]:
        found: dict[str, Any] = self.client.get(f"{HOOKS}/{self.id}").json
        return found


@pytest.fixture
def attempts(engine: Engine, client: FlaskClient, endpoint: Endpoint) -> Attempts:
    return Attempts(engine, client, endpoint.url)


def test_what_fails_is_tried_again_by_the_schedule_and_given_up_in_the_end(
    attempts: Attempts, endpoint: Endpoint
) -> None:
    endpoint.answers = [500] * 10
    for attempt, pause in enumerate(SCHEDULE, 1):
        before = time.time()
        delivery = attempts.once()
        assert (delivery["status"], delivery["attempts"], delivery["last_status"]) == ("pending", attempt, 500)
        assert 0.8 * pause <= delivery["next_at"] - before <= 1.2 * pause + 2
    assert attempts.webhook["failing_since"] is not None
    delivery = attempts.once()
    assert (delivery["status"], delivery["next_at"], delivery["attempts"]) == (Status.FAILED, None, 10)
    attempts.once()
    assert len(endpoint.got) == 10, "what was given up is not attempted"


def test_a_success_ends_it(attempts: Attempts, endpoint: Endpoint) -> None:
    endpoint.answers = [503]
    attempts.once()
    delivery = attempts.once()
    assert (delivery["status"], delivery["next_at"], delivery["last_error"]) == ("delivered", None, None)
    assert attempts.webhook["failing_since"] is None


def test_a_redirection_is_not_followed(attempts: Attempts, endpoint: Endpoint) -> None:
    endpoint.answers = [302]
    assert attempts.once()["last_error"] == "answered 302"
    assert len(endpoint.got) == 1


def test_410_disables_and_it_can_be_enabled_again(attempts: Attempts, endpoint: Endpoint) -> None:
    endpoint.answers = [410]
    attempts.once()
    assert (attempts.webhook["enabled"], attempts.webhook["disabled_reason"]) == (False, "gone")
    attempts.once()
    assert len(endpoint.got) == 1
    changed = attempts.client.patch(f"{HOOKS}/{attempts.id}", json={"enabled": True}).json
    assert (changed["enabled"], changed["disabled_reason"]) == (True, None)
    assert attempts.once()["status"] == "delivered"


def test_what_fails_for_days_is_disabled(attempts: Attempts, endpoint: Endpoint) -> None:
    endpoint.answers = [500, 500]
    attempts.once()
    assert attempts.webhook["enabled"]
    with UnitOfWork(attempts.engine) as uow:
        uow.webhooks.change(attempts.id, failing_since=time.time() - FAILING - 1)
        uow.commit()
    attempts.once()
    assert (attempts.webhook["enabled"], attempts.webhook["disabled_reason"]) == (False, "failing")


def signed_with(endpoint: Endpoint, secret: str) -> bool:
    """Whether the latest delivery is good for a receiver that has this secret."""
    headers, body = endpoint.got[-1]
    try:
        Verifier(secret).verify(body, {name.lower(): value for name, value in headers.items()})
    except WebhookVerificationError:
        return False
    return True


def test_a_new_secret_and_the_one_before_are_good_for_a_day(attempts: Attempts, endpoint: Endpoint) -> None:
    def ask() -> str:
        made = attempts.client.post(f"{HOOKS}/{attempts.id}/secret").json
        assert {name: value for name, value in made.items() if name != "secret"} == attempts.webhook
        secret: str = made["secret"]
        return secret

    def deliver() -> None:
        attempts.client.post(f"{HOOKS}/{attempts.id}/deliveries/{attempts.delivery['id']}/redeliver")
        attempts.once()

    first, second = ask(), ask()
    deliver()
    assert signed_with(endpoint, first)
    assert signed_with(endpoint, second)
    third = ask()
    deliver()
    assert [signed_with(endpoint, secret) for secret in (first, second, third)] == [False, True, True]
    with UnitOfWork(attempts.engine) as uow:
        webhook = uow.webhooks.get(attempts.id)
        assert webhook is not None
        assert 0 < (webhook.former_until or 0) - time.time() <= OVERLAP
        uow.webhooks.change(attempts.id, former_until=time.time() - 1)
        uow.commit()
    deliver()
    assert [signed_with(endpoint, secret) for secret in (second, third)] == [False, True]


def stored(engine: Engine) -> list[tuple[str, str | None]]:
    with engine.connect() as connection:
        return [(row[0], row[1]) for row in connection.execute(select(webhooks.c.secret, webhooks.c.former_secret))]


SECRETS = {
    "one": SecretStr("one secret of thirty-two letters!"),
    "other": SecretStr("another one, as long as it must be"),
}


def seals(engine: Engine, name: str | None) -> WebhookSecrets:
    return WebhookSecrets(lambda: engine, None if name is None else SECRETS[name])


class TestSealing:
    """The secrets in the rows."""

    def test_a_copy_of_the_database_forges_no_delivery(
        self, client_of: Callable[..., FlaskClient], engine: Engine, endpoint: Endpoint
    ) -> None:
        client = client_of(webhooks_private=True, token_secret=SECRETS["one"])
        made = create(client, endpoint.url)
        assert made["secret"].startswith("whsec_")
        new = client.post(f"{HOOKS}/{made['id']}/secret").json["secret"]
        with engine.connect() as connection:
            rows = str(connection.execute(select(webhooks)).all())
        for secret in (made["secret"], new):
            assert secret.removeprefix("whsec_") not in rows
        assert all(len(text or "") <= 100 for text in stored(engine)[0]), "what the column holds in PostgreSQL"
        client.post(f"{HOOKS}/{made['id']}/test")
        (delivery,) = client.get(f"{HOOKS}/{made['id']}/deliveries").json["deliveries"]
        Deliverer(engine, private=True, secrets=seals(engine, "one")).attempt(delivery["id"])
        assert [signed_with(endpoint, secret) for secret in (made["secret"], new)] == [True, True]

    def test_without_the_secret_a_delivery_waits_and_the_endpoint_is_not_blamed(
        self, client_of: Callable[..., FlaskClient], engine: Engine, endpoint: Endpoint
    ) -> None:
        client = client_of(webhooks_private=True, token_secret=SECRETS["one"])
        made = create(client, endpoint.url)
        client.post(f"{HOOKS}/{made['id']}/test")

        def delivery() -> dict[str, Any]:
            found: dict[str, Any] = client.get(f"{HOOKS}/{made['id']}/deliveries").json["deliveries"][0]
            return found

        for name in (None, "other"):
            Deliverer(engine, private=True, secrets=seals(engine, name)).attempt(delivery()["id"])
            assert (delivery()["status"], delivery()["attempts"]) == ("pending", 0)
            assert "another TOKEN_SECRET" in delivery()["last_error"]
            assert delivery()["next_at"] > time.time()
        assert client.get(f"{HOOKS}/{made['id']}").json["failing_since"] is None
        assert endpoint.got == []
        # A new secret, by a process that has the other TOKEN_SECRET, is good at once.
        client = client_of(webhooks_private=True, token_secret=SECRETS["other"])
        new = client.post(f"{HOOKS}/{made['id']}/secret").json["secret"]
        Deliverer(engine, private=True, secrets=seals(engine, "other")).attempt(delivery()["id"])
        assert signed_with(endpoint, new)

    def test_clear_ones_work_and_are_sealed_by_the_pass(
        self, attempts: Attempts, endpoint: Endpoint, engine: Engine
    ) -> None:
        first, former = new_secret(), new_secret()
        with UnitOfWork(engine) as uow:
            uow.webhooks.change(attempts.id, secret=first, former_secret=former, former_until=time.time() + 600)
            uow.commit()
        attempts.once()
        assert [signed_with(endpoint, secret) for secret in (first, former)] == [True, True]
        assert seals(engine, None).seal_all() == 1
        assert seals(engine, None).seal_all() == 0
        assert all((text or "").startswith(SEALED) for text in stored(engine)[0])
        attempts.client.post(f"{HOOKS}/{attempts.id}/deliveries/{attempts.delivery['id']}/redeliver")
        attempts.once()
        assert [signed_with(endpoint, secret) for secret in (first, former)] == [True, True]
        assert len(endpoint.got) == 2
        # TOKEN_SECRET is set afterwards: what the database's own root secret has sealed stays readable.
        attempts.client.post(f"{HOOKS}/{attempts.id}/deliveries/{attempts.delivery['id']}/redeliver")
        attempts.deliverer = Deliverer(engine, private=True, secrets=seals(engine, "one"))
        attempts.once()
        assert len(endpoint.got) == 3

    def test_a_change_during_the_pass_is_kept(self, attempts: Attempts, engine: Engine) -> None:
        with UnitOfWork(engine) as uow:
            before = uow.webhooks.get(attempts.id)
            assert before is not None
            uow.webhooks.change(attempts.id, secret="whsec_newer")
            uow.webhooks.reseal(before, "sealed:older", None)
            uow.commit()
        assert stored(engine) == [("whsec_newer", None)]

    def test_an_older_process_does_not_sign_with_what_it_cannot_read(self, engine: Engine) -> None:
        sealed = seals(engine, None).seal("w", new_secret())
        with pytest.raises(ValueError, match=r"base64|padding"):
            Verifier(sealed)

    def test_it_is_of_one_webhook_only(self, engine: Engine) -> None:
        sealed = seals(engine, "one").seal("w", new_secret())
        with pytest.raises(Unreadable):
            seals(engine, "one").unseal("v", sealed)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "224.0.0.1",
        "255.255.255.255", "192.0.2.1", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1", "::ffff:10.0.0.1",
        "::ffff:127.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "2001:0:a00:1::", "2001:db8::1",
    ],
)  # fmt: skip
def test_an_address_inside_is_no_address_outside(address: str) -> None:
    assert not is_outside(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8"])
def test_an_address_outside_is_one(address: str) -> None:
    assert is_outside(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/", "ftp://example.org/", "https://", "https://user:pw@example.org/", "https://127.0.0.1/",
        "https://[::1]/", "https://[::ffff:10.0.0.1]/", "https://localhost/", "https://redis/", "https://db.internal/",
        "https://example.org/#x", "https://exa mple.org/", "https://example.org:99999/", "https://[::1/", "x", "",
    ],
)  # fmt: skip
def test_such_a_url_is_refused_at_creation(client_of: Callable[..., FlaskClient], url: str) -> None:
    assert fault_of(url, private=False)
    answer = client_of().post(HOOKS, json={"url": url})
    assert (answer.status_code, answer.json["code"]) == (422, "webhook_url")


def test_a_name_that_leads_inside_is_refused_when_it_is_created_and_when_it_is_called(
    client_of: Callable[..., FlaskClient], endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = [(2, 1, 6, "", ("8.8.8.8", 443)), (2, 1, 6, "", ("127.0.0.1", endpoint.server_port))]
    monkeypatch.setattr("socket.getaddrinfo", lambda *a, **k: inside)
    with pytest.raises(Refused, match="inside the network"):
        call("https://rebound.example.org/", b"{}", {}, private=False)
    assert endpoint.got == []
    answer = client_of().post(HOOKS, json={"url": "https://rebound.example.org/"})
    assert answer.json["code"] == "webhook_url"


def test_an_endpoint_that_says_a_little_now_and_then_does_not_hold_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calling, "WHOLE", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def drip() -> None:
            held, _ = listening.accept()
            with held:
                try:
                    while True:
                        held.sendall(b"H")
                        time.sleep(0.05)
                except OSError:
                    pass

        thread = threading.Thread(target=drip)
        thread.start()
        began = time.monotonic()
        with pytest.raises((OSError, calling.http.client.HTTPException)):
            call(f"http://127.0.0.1:{listening.getsockname()[1]}/", b"{}", {}, private=True)
        assert time.monotonic() - began < PATIENCE / 2, "the endpoint itself never ends"
        thread.join(PATIENCE)
        assert not thread.is_alive()


def test_a_tls_handshake_that_drips_does_not_hold_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calling, "WHOLE", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def drip() -> None:
            held, _ = listening.accept()
            with held, suppress(OSError):
                held.sendall(b"\x16\x03\x03\x40\x00")  # a record of 16 KiB, byte by byte
                for _ in range(1000):
                    held.sendall(b"\x00")
                    time.sleep(0.05)

        thread = threading.Thread(target=drip)
        thread.start()
        began = time.monotonic()
        with pytest.raises((OSError, ValueError)):
            call(f"https://127.0.0.1:{listening.getsockname()[1]}/", b"{}", {}, private=True)
        assert time.monotonic() - began < 5
        thread.join(60)


def test_a_name_that_is_not_resolved_holds_neither_a_delivery_nor_a_creation(
    client_of: Callable[..., FlaskClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on, found = threading.Event(), socket.getaddrinfo

    def hang(host: str, *more: Any, **others: Any) -> Any:
        if not host.endswith("example.org"):
            return found(host, *more, **others)  # a server's of the tests
        goes_on.wait(60)
        raise OSError("no such name")

    monkeypatch.setattr("socket.getaddrinfo", hang)
    monkeypatch.setattr(resolving, "LOOK_UP", 0.2)
    try:
        began = time.monotonic()
        with pytest.raises(TimeoutError, match="not resolved within"):
            call("https://hangs.example.org/", b"{}", {}, private=False)
        made = client_of().post(HOOKS, json={"url": "https://hangs.example.org/"})
        assert made.status_code == 200, "it may not be in the DNS yet; each delivery looks again"
        assert time.monotonic() - began < 20
        # A name whose look-ups hang takes no more threads than it may, and none from other names.
        for _ in range(resolving.MOST_OF_ONE - 2):
            with pytest.raises(TimeoutError, match="not resolved"):
                resolving.resolve("hangs.example.org", 443)
        with pytest.raises(TimeoutError, match="too many"):
            resolving.resolve("hangs.example.org", 443)
        with pytest.raises(TimeoutError, match="not resolved"):
            resolving.resolve("another.example.org", 443)
    finally:
        goes_on.set()
    until(lambda: not resolving._under_way)


@pytest.fixture
def silent() -> Iterator[str]:
    """An endpoint that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=200) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"


def test_an_endpoint_that_hangs_does_not_hold_up_the_others(  # noqa: PLR0917 - fixtures
    engine: Engine,
    client: FlaskClient,
    endpoint: Endpoint,
    silent: str,
    redis_url: str,
    start_events: Callable[..., EventsProcess],
) -> None:
    many = 20
    hanging, good = create(client, silent)["id"], create(client, endpoint.url)["id"]
    with UnitOfWork(engine) as uow:
        for webhook_id in (hanging, good):
            for n in range(many):
                uow.webhooks.send(webhook_id, {"id": f"e{n}", "type": "a test"}, time.time() - (webhook_id == hanging))
        uow.commit()
    start_events(redis_url, WEBHOOKS_PRIVATE="on")
    until(lambda: endpoint.got)
    began = time.monotonic()
    until(lambda: len(endpoint.got) == many)
    # Each call of the other waits for its whole timeout: four threads of four would take 25 s for its twenty.
    assert time.monotonic() - began < 2 * calling.CALL_TIMEOUT

    def paused() -> bool:
        with UnitOfWork(engine, read_only=True) as uow:
            webhook = uow.webhooks.get(hanging)
        return webhook is not None and webhook.paused_until is not None

    until(paused)
    view = client.get(f"{HOOKS}/{hanging}").json
    assert view["paused_until"] > time.time()
    assert client.get(f"{HOOKS}/{good}").json["paused_until"] is None
    attempted = [d for d in client.get(f"{HOOKS}/{hanging}/deliveries").json["deliveries"] if d["attempts"]]
    assert len(attempted) <= OPEN_AFTER + IN_FLIGHT, "the others keep their attempts"
    changed = client.patch(f"{HOOKS}/{hanging}", json={"url": endpoint.url + "&now"}).json
    assert changed["paused_until"] is None
    until(lambda: len(endpoint.got) >= 2 * many - len(attempted))


def test_an_event_sent_by_hand_is_a_probe(attempts: Attempts, endpoint: Endpoint) -> None:
    with UnitOfWork(attempts.engine) as uow:
        uow.webhooks.change(attempts.id, paused_until=time.time() + 900, failures=OPEN_AFTER)
        uow.commit()
    with UnitOfWork(attempts.engine, read_only=True) as uow:
        assert not uow.webhooks.any_due(time.time() + 1)
    attempts.client.post(f"{HOOKS}/{attempts.id}/test")
    with UnitOfWork(attempts.engine) as uow:
        assert len(uow.webhooks.due(time.time() + 1, IN_FLIGHT, 60)) == 1
    attempts.once()
    with UnitOfWork(attempts.engine, read_only=True) as uow:
        webhook = uow.webhooks.get(attempts.id)
    assert webhook is not None
    assert (webhook.failures, webhook.paused_until) == (0, None)


def test_the_trail_tells_of_webhooks(client: FlaskClient, engine: Engine) -> None:
    one = create(client, "http://127.0.0.1:9/")["id"]
    client.patch(f"{HOOKS}/{one}", json={"enabled": False})
    client.patch(f"{HOOKS}/{one}", json={})
    client.post(f"{HOOKS}/{one}/secret")
    client.delete(f"{HOOKS}/{one}")
    client.delete(f"{HOOKS}/{one}")
    with UnitOfWork(engine, read_only=True) as uow:
        entries = [entry for entry in uow.trail.of_no_session() if entry.target == one]
    assert [entry.action for entry in entries] == [
        Action.WEBHOOK_CREATED,
        Action.WEBHOOK_CHANGED,
        Action.WEBHOOK_SECRET_ROTATED,
        Action.WEBHOOK_DELETED,
    ]
    assert {(entry.who, entry.network) for entry in entries} == {("anyone", "127.0.0.0/24")}


def test_endpoints_are_managed_and_every_answer_is_documented(client: FlaskClient) -> None:
    contract = Contract(client.get("/openapi.json").json)

    def ask(method: str, path: str, **more: Any) -> Any:
        answer = client.open(path, method=method, **more)
        contract.hold(method, path, answer.status_code, answer.content_type, answer.data)
        return answer

    made = ask("POST", HOOKS, json={"url": "http://127.0.0.1:9/"}).json
    assert made["secret"].startswith("whsec_")
    one = f"{HOOKS}/{made['id']}"
    secretless = {name: value for name, value in made.items() if name != "secret"}
    assert ask("GET", HOOKS).json == {"webhooks": [secretless]}
    assert ask("GET", one).json == secretless
    changed = ask("PATCH", one, json={"types": ["liveness.session.expired"], "enabled": False}).json
    assert (changed["types"], changed["enabled"]) == (["liveness.session.expired"], False)
    assert ask("PATCH", one, json={"url": "nonsense"}).json["code"] == "webhook_url"
    assert ask("PATCH", one, json={"types": ["liveness.session.exploded"]}).json["code"] == "invalid_parameter"
    assert ask("POST", HOOKS, json={}).json["code"] == "invalid_parameter"
    assert ask("POST", HOOKS, data=b"{", content_type="application/json").status_code in (400, 422)
    other = ask("POST", one + "/secret").json
    assert other["secret"].startswith("whsec_")
    assert other["secret"] != made["secret"]
    assert ask("GET", one + "/deliveries").json == {"deliveries": []}
    assert ask("POST", one + "/deliveries/none/redeliver").json["code"] == "delivery_not_found"
    assert ask("DELETE", one).json == {"deleted": made["id"]}
    for method, path in (
        ("GET", one),
        ("PATCH", one),
        ("DELETE", one),
        ("POST", one + "/test"),
        ("POST", one + "/secret"),
        ("GET", HOOKS + "/x"),
    ):
        body = {"json": {}} if method == "PATCH" else {}
        assert ask(method, path, **body).json["code"] == "webhook_not_found"


def test_only_servers_may(client_of: Callable[..., FlaskClient]) -> None:
    answer = client_of(auth="required").get(HOOKS)
    assert (answer.status_code, answer.json["code"]) == (401, "key_missing")


TOKEN = "a-token-of-sixteen-or-more"


def told(client: FlaskClient) -> dict[str, float]:
    """What /metrics says."""
    text = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).text
    pairs = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in pairs}


def test_what_waits_what_was_delivered_and_who_is_gone(
    engine: Engine,
    redis_url: str,
    client_of: Callable[..., FlaskClient],
    endpoint: Endpoint,
    start_events: Callable[..., EventsProcess],
) -> None:
    WEBHOOK_ATTEMPTS.clear()  # what other tests have counted in this very process, which is the web's here
    client = client_of(webhooks_private=True, metrics_token=TOKEN)
    assert told(client)["liveness_events_oldest_seconds"] == 0
    made = create(client, endpoint.url, types=["liveness.session.failed"])
    live(engine)
    before = told(client)
    assert before["liveness_events_waiting"] == 3
    assert before["liveness_events_oldest_seconds"] > 3600  # they happened in 1970
    assert before['liveness_webhooks_disabled{reason="gone"}'] == 0

    start_events(redis_url, WEBHOOKS_PRIVATE="on", METRICS_TOKEN=TOKEN)
    endpoint.answers = [204, 410]

    def counted(name: str) -> Callable[[], bool]:
        return lambda: told(client).get(name, 0) == before.get(name, 0) + 1

    until(counted('liveness_webhook_attempts_total{outcome="delivered"}'))
    # The relay marks a batch after the broker has all of it, and the queue drops a message after its work: either may
    # be later than the delivery.
    until(lambda: told(client)["liveness_events_waiting"] == 0)
    assert told(client)["liveness_events_oldest_seconds"] == 0
    until(lambda: told(client)['liveness_queue_length{queue="webhooks"}'] == 0)
    until(counted('liveness_messages_total{actor="deliver_webhook",outcome="done"}'))

    client.post(f"{HOOKS}/{made['id']}/test")
    until(counted('liveness_webhook_attempts_total{outcome="put_off"}'))
    assert told(client)['liveness_webhooks_disabled{reason="gone"}'] == 1


def test_a_paused_endpoint_is_counted_until_it_is_called_again(
    engine: Engine, client_of: Callable[..., FlaskClient], endpoint: Endpoint
) -> None:
    client = client_of(webhooks_private=True, metrics_token=TOKEN)
    made = create(client, endpoint.url)
    assert told(client)["liveness_webhooks_paused"] == 0
    with UnitOfWork(engine) as uow:
        assert [uow.webhooks.failed(made["id"], now()) is None for _ in range(OPEN_AFTER)][-1] is False
        uow.commit()
    assert told(client)["liveness_webhooks_paused"] == 1
    with UnitOfWork(engine) as uow:
        uow.webhooks.succeeded(made["id"])
        uow.commit()
    assert told(client)["liveness_webhooks_paused"] == 0


def test_an_endpoint_that_a_person_disabled_is_not_counted(
    client_of: Callable[..., FlaskClient], endpoint: Endpoint
) -> None:
    client = client_of(webhooks_private=True, metrics_token=TOKEN)
    made = create(client, endpoint.url)
    client.patch(f"{HOOKS}/{made['id']}", json={"enabled": False})
    assert not [name for name, value in told(client).items() if name.startswith("liveness_webhooks_disabled") and value]
