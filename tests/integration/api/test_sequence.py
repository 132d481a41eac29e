"""Sessions with sequence=required: frames over the API, with and without the nonces of the latest answers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from dramatiq import Worker
from flask.testing import FlaskClient
from redis import Redis
from werkzeug.test import TestResponse

from shared.liveness.sequence import CARRIED, LAG
from shared.redis import keyspace
from tests.integration.api.conftest import SESSIONS
from tests.integration.api.test_frames import FIELDS, jpeg, new_session, nothing_under_way

HEAD = b'--x\r\nContent-Disposition: form-data; name="image"; filename="frame.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'


def post(client: FlaskClient, session_id: str, nonces: list[str] | None = None) -> TestResponse:
    return client.post(
        f"{SESSIONS}/{session_id}/frame",
        query_string=None if nonces is None else {"nonces": ",".join(nonces)},
        data=HEAD + jpeg() + b"\r\n--x--\r\n",
        content_type="multipart/form-data; boundary=x",
    )


def test_frames_that_carry_the_latest_nonces_are_judged(client: FlaskClient, worker: Worker) -> None:
    session_id = new_session(client, "?sequence=required")
    nonces: list[str] = []
    for _ in range(2 * LAG):
        answer = post(client, session_id, nonces)
        assert answer.status_code == 200
        assert list(answer.json) == [*FIELDS, "nonce"]
        nonces = [answer.json["nonce"], *nonces][:CARRIED]
    assert len(set(nonces)) == CARRIED


def test_a_film_sent_in_advance_is_refused_and_harms_nothing(client: FlaskClient, worker: Worker, redis: Redis) -> None:
    session_id = new_session(client, "?sequence=required")
    nonces = [post(client, session_id, []).json["nonce"]]
    nonces.insert(0, post(client, session_id, nonces).json["nonce"])
    assert [post(client, session_id).status_code for _ in range(LAG)][-1] == 409
    refused = post(client, session_id, ["0123456789abcdef"])
    assert (refused.status_code, refused.json["code"]) == (409, "out_of_sequence")
    assert not redis.exists(keyspace.inflight(session_id))
    assert client.delete(f"{SESSIONS}/{session_id}").status_code == 200
    assert not redis.exists(keyspace.sequence(session_id))
    assert nothing_under_way(redis)


def test_a_pipelined_client_loses_no_frame(client: FlaskClient, worker: Worker) -> None:
    """Four frames under way at once, each with what the client knew when it sent it."""
    session_id = new_session(client, "?sequence=required")
    nonces: list[str] = []

    def send(number: int) -> int:
        answer = post(client.application.test_client(), session_id, nonces[-CARRIED:])
        if answer.status_code == 200:
            nonces.append(answer.json["nonce"])
        return answer.status_code

    with ThreadPoolExecutor(4) as pool:
        codes = list(pool.map(send, range(60)))
    assert set(codes) <= {200, 429}, "429: faster than LIMIT_FRAMES"
    assert codes.count(200) >= 20


def test_two_programs_at_once_are_refused(client: FlaskClient, worker: Worker) -> None:
    session_id = new_session(client, "?sequence=required")
    own: tuple[list[str], list[str]] = ([], [])
    codes = []
    for number in range(24):
        nonces = own[number % 2]
        answer = post(client, session_id, nonces[-CARRIED:])
        codes.append(answer.status_code)
        nonces += [answer.json["nonce"]] if answer.status_code == 200 else []
    assert codes[-4:] == [409] * 4


def test_other_sessions_know_nothing_of_it(client: FlaskClient, worker: Worker, redis: Redis) -> None:
    session_id = new_session(client)
    for _ in range(3):
        answer = post(client, session_id, ["any"])
        assert (answer.status_code, list(answer.json)) == (200, FIELDS)
    assert not redis.exists(keyspace.sequence(session_id))
