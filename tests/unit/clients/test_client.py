from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from liveness_client import USUAL_WAIT, Busy, Client, Refused, Unreachable
from tests.documented_server import SESSION, completed, problem, reply

#: Made when tests are collected, which may be a while before they run.
IN_AN_HOUR = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)


@pytest.fixture
def client(server):
    with Client(server.url + "/", answer_within=2) as client:
        yield client


def test_a_session_goes_through_its_life(client, server):
    server.script = [reply(), completed(live=True)]
    session = client.open(challenges=2, timeout_seconds=7.5, mirrored=True)
    assert server.created == [{"num_challenges": "2", "timeout_seconds": "7.5", "mirrored": "true"}]
    assert (session.id, session.state) == (SESSION, "pending")
    assert session.instruction("BLINK") == "Blink your eyes"
    assert session.instruction(None) is None

    first, last = client.submit(session.id, b"one"), client.submit(session.id, b"two")
    assert server.frames == [b"one", b"two"]
    assert (first.challenge_type, first.passed, first.ended) == ("TURN_LEFT", False, False)
    assert first.hint == "A little further to your left."
    assert (last.ended, last.is_live, last.challenges_remaining) == (True, True, 0)

    client.cancel(session.id)
    assert server.cancelled == [SESSION]


def test_what_is_not_said_is_left_to_the_server(client, server):
    client.open()
    assert server.created == [{}]


def test_a_backend_asks_for_a_token_and_names_the_person(client, server):
    session = client.open(token=True, subject="account 7", nonce="n-1", relying_party="A Bank", idempotency_key="k-1")
    assert server.created == [
        {"token": "true", "subject": "account 7", "nonce": "n-1", "relying_party": "A Bank", "idempotency": "k-1"}
    ]
    assert session.token == "a.token"
    assert "a.token" not in repr(session), "logs hold no token"
    assert client.open().token is None


def test_a_verdict_is_fetched_for_an_audience(client, server):
    assert client.verdict(SESSION, audience="https://bank.example.org") == "verdict for https://bank.example.org"
    assert client.verdict(SESSION) == "verdict for nobody"


def test_a_server_without_hints_is_understood(client, server):
    server.script = [{key: value for key, value in reply().items() if key != "hint"}]
    assert client.submit(SESSION, b"x").hint is None


@pytest.mark.parametrize(
    ("header", "low", "high"),
    [
        ("3", 3, 3),
        ("0", 0, 0),
        (IN_AN_HOUR, 1200, 3600),
        ("soon", USUAL_WAIT, USUAL_WAIT),
        (None, USUAL_WAIT, USUAL_WAIT),
    ],
    ids=["seconds", "none", "date", "nonsense", "missing"],
)
def test_a_busy_server_says_when_to_come_again(client, server, header, low, high):
    headers = {"Retry_After": header} if header else {}
    server.script = [lambda: problem(503, "no_answer_in_time", "No worker answered in time.", **headers)]
    with pytest.raises(Busy, match="No worker answered in time") as caught:
        client.submit(SESSION, b"x")
    assert low <= caught.value.wait <= high


def test_a_problem_keeps_its_code_and_sentence(client, server):
    server.refusals = [lambda: problem(422, "out_of_range", "num_challenges must be 1 to 10.")]
    with pytest.raises(Refused, match="must be 1 to 10") as caught:
        client.open(challenges=11)
    assert (caught.value.status, caught.value.code) == (422, "out_of_range")


def test_cancelling_what_is_gone_is_no_error(client):
    client.cancel("gone")


def test_a_port_where_nobody_listens_is_told_plainly():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    with Client(f"http://127.0.0.1:{port}") as client, pytest.raises(Unreachable, match=f"127.0.0.1:{port}"):
        client.open()


def test_a_server_that_never_answers_is_told_plainly():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with Client(url, answer_within=0.2) as client, pytest.raises(Unreachable, match="no answer in time"):
            client.open()


@pytest.mark.parametrize("url", ["http://", "nonsense", "http://[", "ftp://localhost"])
def test_an_address_that_is_none_is_told_plainly(url):
    with pytest.raises(Unreachable), Client(url) as client:
        client.open()


@pytest.mark.parametrize("body", [{}, {"session_id": SESSION}, {"session_id": SESSION, "state": "x", "challenges": 5}])
def test_an_answer_that_is_not_the_documented_one_is_told_plainly(client, server, body):
    server.refusals = [lambda: body]
    with pytest.raises(Unreachable, match="not the documented one"):
        client.open()


def test_another_web_server_is_told_from_a_liveness_server(server):
    with Client(f"{server.url}/elsewhere") as client, pytest.raises(Unreachable, match="no liveness server"):
        client.open()
