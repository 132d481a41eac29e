"""A creation by JSON: the same options, limits and errors as by the query; and the clients that ask in this way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import httpx
import pytest
from dramatiq import Worker
from flask.testing import FlaskClient
from sqlalchemy import Engine

from shared.liveness.challenge import OPPOSITES, ChallengeType
from shared.liveness.evidence import Preset
from tests.integration.api.conftest import SESSIONS, MakeKey
from tests.integration.api.test_creation import stored
from tests.integration.api.test_idempotency import KEY, count
from tests.integration.api.test_server import jpeg
from tests.waiting import until

Start = Callable[..., FlaskClient]

#: Each option in the query and as JSON has it, with what an answer says of it (`asked`).
SAME = [
    ("num_challenges=1", {"num_challenges": 1}),
    ("num_challenges=4", {"num_challenges": 4.0}),
    ("timeout_seconds=7", {"timeout_seconds": 7}),
    ("mirrored=true", {"mirrored": True}),
    ("challenge_types=SMILE,BLINK", {"challenge_types": ["SMILE", "BLINK"]}),
    ("challenge_types=SMILE,BLINK", {"challenge_types": "SMILE, blink"}),
    ("exclude=BLINK", {"exclude": ["blink"]}),
    ("", {"exclude": []}),
    ("reveal=next", {"reveal": "next"}),
    ("preset=strict", {"preset": "strict"}),
    ("", {"preset": None, "subject": None, "challenges": None, "ttl_seconds": None}),
    ("challenges=blink&challenges=SMILE", {"challenges": ["BLINK", "smile"]}),
]


def asked(client: FlaskClient, made: Any) -> Any:
    assert made.status_code == 200, made.text
    return client.get(f"{SESSIONS}/{made.json['session_id']}").json["asked"]


@pytest.mark.parametrize(("query", "body"), SAME)
def test_each_option_means_the_same(client: FlaskClient, query: str, body: dict[str, Any]) -> None:
    assert asked(client, client.post(SESSIONS, json=body)) == asked(client, client.post(f"{SESSIONS}?{query}"))


def test_all_that_the_case_asks_for_is_done(client: FlaskClient, engine: Engine) -> None:
    body = {"num_challenges": 1, "exclude": ["BLINK"], "preset": "strict", "subject": "u1", "token": True, "nonce": "n"}
    made = client.post(SESSIONS, json=body)
    session = stored(engine, made.json["session_id"])
    assert len(session.challenges) == 1
    assert session.preset is Preset.STRICT
    assert session.subject is not None
    assert session.options.nonce == "n"
    assert made.json["token"]
    assert session.terms.challenge_types == tuple(t for t in ChallengeType if t != "BLINK")


WRONG = [
    {"num_challenges": "3"},
    {"num_challenges": 0},
    {"num_challenges": 2.5},
    {"num_challenges": True},
    {"num_challenges": None},
    {"num_challenges": [3]},
    {"num_challenges": 10**30},
    {"timeout_seconds": "5"},
    {"timeout_seconds": 61},
    {"mirrored": "true"},
    {"token": 1},
    {"portrait": None},
    {"challenge_types": []},
    {"challenge_types": ["WINK"]},
    {"challenge_types": [["BLINK"]]},
    {"challenge_types": {"BLINK": True}},
    {"challenge_types": 3},
    {"exclude": list(ChallengeType)},
    {"challenges": []},
    {"challenges": ["nod"]},
    {"challenges": ["\u017fmile"]},
    {"challenges": ["blink"] * 11},
    {"ttl_seconds": 0},
    {"ttl_seconds": "60"},
    {"ttl_seconds": -1},
    {"preset": "hard"},
    {"preset": ["strict"]},
    {"reveal": True},
    {"subject": 4711},
    {"subject": ""},
    {"nonce": "\u00e4"},
    {"sequence": "on"},
    {"relying_party": "a\u202eb"},
]


@pytest.mark.parametrize("body", WRONG, ids=str)
def test_a_wrong_value_is_refused_by_name(client: FlaskClient, body: dict[str, Any]) -> None:
    answer = client.post(SESSIONS, json=body)
    assert (answer.status_code, answer.json["code"]) == (422, "invalid_parameter"), answer.text
    assert [fault["parameter"] for fault in answer.json["errors"]] == list(body)
    assert answer.json["errors"][0]["detail"].startswith("must ")


def test_the_query_and_the_body_may_share_the_options_and_not_contradict_each_other(client: FlaskClient) -> None:
    both = client.post(f"{SESSIONS}?num_challenges=2&preset=strict", json={"preset": "strict", "mirrored": True})
    told = asked(client, both)
    assert (told["num_challenges"], told["preset"], told["mirrored"]) == (2, "strict", True)
    answer = client.post(f"{SESSIONS}?preset=strict&num_challenges=2", json={"preset": "lenient", "num_challenges": 2})
    assert (answer.status_code, answer.json["code"]) == (422, "invalid_parameter")
    assert [fault["parameter"] for fault in answer.json["errors"]] == ["preset"]
    answer = client.post(f"{SESSIONS}?challenge_types=BLINK", json={"exclude": ["BLINK"]})
    assert answer.json["errors"][0]["parameter"] == "exclude", "rules of two fields hold over both places"


def test_policies_hold_alike(start_app: Start, make_key: MakeKey) -> None:
    app = make_key("client")
    bounded = make_key("server", policy="challenge_types=SMILE,BLINK num_challenges=..2")
    client = start_app()
    weak = {"preset": "lenient", "num_challenges": 1, "challenge_types": ["SMILE"], "timeout_seconds": 60}
    refused = client.post(SESSIONS, json=weak, headers=app.headers)
    assert (refused.status_code, refused.json["code"]) == (422, "outside_policy")
    assert {fault["parameter"] for fault in refused.json["errors"]} == weak.keys()
    few = client.post(SESSIONS, json={"challenges": ["blink", "turn_left"]}, headers=app.headers)
    assert (few.status_code, few.json["code"]) == (422, "outside_policy")
    assert [fault["parameter"] for fault in few.json["errors"]] == ["challenges"]
    three = {"challenges": ["blink", "turn_left", "smile"], "preset": None}
    assert client.post(SESSIONS, json=three, headers=app.headers).status_code == 200
    other = client.post(SESSIONS, json={"relying_party": "Somebody else"}, headers=app.headers)
    assert (other.status_code, other.json["code"]) == (403, "forbidden")
    for named, fine in (
        (["smile", "blink"], True),
        (["smile", "open_mouth"], False),
        (["smile", "blink", "smile"], False),
    ):
        answer = client.post(SESSIONS, json={"challenges": named}, headers=bounded.headers)
        assert (answer.status_code == 200) is fine, answer.text


def test_a_key_for_repetitions_covers_the_body(client: FlaskClient, engine: Engine) -> None:
    first = client.post(SESSIONS, json={"num_challenges": 2, "ttl_seconds": 60}, headers=KEY)
    assert client.post(SESSIONS, json={"ttl_seconds": 60.0, "num_challenges": 2}, headers=KEY).data == first.data
    assert client.post(f"{SESSIONS}?num_challenges=2&ttl_seconds=60", headers=KEY).data == first.data
    for other in ({"num_challenges": 3, "ttl_seconds": 60}, {"num_challenges": 2}, {"challenges": ["smile", "blink"]}):
        answer = client.post(SESSIONS, json=other, headers=KEY)
        assert (answer.status_code, answer.json["code"]) == (422, "idempotency_key_reused")
    assert count(engine) == 1


class TestTheChallengesNamed:
    def test_are_asked_for_each_in_an_order_of_chance(self, client: FlaskClient) -> None:
        named = ["BLINK", "TURN_LEFT", "TURN_RIGHT", "SMILE"]
        orders = Counter(
            tuple(c["type"] for c in client.post(SESSIONS, json={"challenges": named}).json["challenges"])
            for _ in range(60)
        )
        assert all(sorted(order) == sorted(named) for order in orders)
        assert all(OPPOSITES.get(ChallengeType(a)) != b for order in orders for a, b in pairwise(order))
        # 12 orders keep left and right apart; that 60 draws see fewer than 4 of them happens less than once in 1e26 runs.
        assert len(orders) >= 4

    def test_may_be_such_as_do_not_fit_together(self, client: FlaskClient) -> None:
        for named in (["turn_left", "turn_right"], ["blink", "blink"], ["blink"]):
            made = client.post(SESSIONS, json={"challenges": named}).json["challenges"]
            assert sorted(c["type"] for c in made) == sorted(name.upper() for name in named)

    def test_say_themselves_how_many_they_are(self, client: FlaskClient) -> None:
        named = {"challenges": ["blink", "smile"]}
        assert client.post(SESSIONS, json=named | {"num_challenges": 2}).status_code == 200
        for more in ({"num_challenges": 3}, {"challenge_types": ["BLINK"]}, {"exclude": ["BLINK"]}):
            answer = client.post(SESSIONS, json=named | more)
            assert [fault["parameter"] for fault in answer.json["errors"]] == list(more)


class TestTheLife:
    def test_is_as_short_as_asked(self, client: FlaskClient, engine: Engine) -> None:
        for asked_for, life in ((60, 60), (1, 1), (300, 300), (None, 300)):
            made = client.post(SESSIONS, json={"ttl_seconds": asked_for}).json
            session = stored(engine, made["session_id"])
            assert session.expires_at - session.created_at == pytest.approx(life)

    def test_is_not_longer_than_the_service_s(self, client: FlaskClient) -> None:
        answer = client.post(SESSIONS, json={"ttl_seconds": 301})
        assert (answer.status_code, answer.json["code"]) == (422, "outside_policy")
        assert answer.json["errors"] == [{"parameter": "ttl_seconds", "detail": "must be at most 300 here"}]

    def test_ends_with_the_session_expired(self, client: FlaskClient) -> None:
        session_id = client.post(SESSIONS, json={"ttl_seconds": 1}).json["session_id"]
        until(lambda: client.get(f"{SESSIONS}/{session_id}").json["state"] == "expired")


class TestOpenBiometricsClients:
    """The calls of their Python client, in httpx's own bytes, and of their TypeScript client."""

    def test_create_and_submit(self, client: FlaskClient, worker: Worker) -> None:
        def send(path: str, **facts: Any) -> Any:
            request = httpx.Request(
                "POST", f"http://localhost/api/v1{path}", headers={"Authorization": "Bearer k"}, **facts
            )
            kind = request.headers.get("Content-Type")
            return client.post(request.url.raw_path.decode(), data=request.read(), content_type=kind)

        made = send("/liveness/sessions", json={"challenges": ["blink", "turn_left"], "ttl_seconds": 60})
        assert sorted(c["type"] for c in made.json["challenges"]) == ["BLINK", "TURN_LEFT"]
        assert send("/liveness/sessions", json={}).status_code == 200
        session_id = made.json["session_id"]
        answer = send(
            f"/liveness/sessions/{session_id}/frames",
            files={"image": ("image.jpg", jpeg())},
            data={"session_id": session_id},
        )
        assert (answer.status_code, answer.json["session_id"]) == (200, session_id), answer.text
        assert answer.json["passed"] is False
        other = send(f"/liveness/sessions/{session_id}/frames", files={"image": jpeg()}, data={"session_id": "another"})
        assert other.json["errors"][0]["parameter"] == "session_id"

    def test_submit_as_browsers_write_a_form(self, client: FlaskClient, worker: Worker) -> None:
        session_id = client.post(SESSIONS).json["session_id"]
        form = b"\r\n".join(
            (
                b"------WebKitFormBoundaryA",
                b'Content-Disposition: form-data; name="image"; filename="image.jpg"',
                b"Content-Type: application/octet-stream",
                b"",
                jpeg(),
                b"------WebKitFormBoundaryA",
                b'Content-Disposition: form-data; name="session_id"',
                b"",
                session_id.encode(),
                b"------WebKitFormBoundaryA--",
                b"",
            )
        )
        kind = "multipart/form-data; boundary=----WebKitFormBoundaryA"
        answer = client.post(f"{SESSIONS}/{session_id}/frames", data=form, content_type=kind)
        assert (answer.status_code, answer.json["session_id"]) == (200, session_id), answer.text


def test_a_session_in_the_documented_way_is_as_it_was(client: FlaskClient, worker: Worker) -> None:
    """API.md's calls, and the integration test of OpenBiometrics."""
    made = client.post(SESSIONS, query_string={"num_challenges": 2, "timeout_seconds": 5.0})
    assert list(made.json) == ["session_id", "state", "challenges"]
    path = f"{SESSIONS}/{made.json['session_id']}"
    assert client.get(path).json["state"] == "pending"
    kind = "multipart/form-data; boundary=x"
    body = (
        b'--x\r\nContent-Disposition: form-data; name="image"; filename="test.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
    )
    answer = client.post(f"{path}/frame", data=body + jpeg() + b"\r\n--x--\r\n", content_type=kind)
    assert answer.status_code == 200
    assert {"session_id", "passed"} <= answer.json.keys()
    assert client.delete(path).json == {"cancelled": made.json["session_id"]}
