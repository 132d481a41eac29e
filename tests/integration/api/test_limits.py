"""Limits of how often, in a real Redis, and how they are told."""

from __future__ import annotations

import io
import re
import threading
import time
from collections.abc import Callable

import pytest
from dramatiq import Worker
from flask.testing import FlaskClient
from pydantic import SecretStr
from redis import Redis
from structlog.testing import capture_logs

from shared.handoff import inflight
from shared.redis.buckets import LUMP, Bucket, Rate, take
from shared.telemetry.metrics.table import LIMITS_OPEN
from tests.integration.api.conftest import SESSIONS, MakeKey
from tests.integration.api.test_server import jpeg
from tests.waiting import until

Start = Callable[..., FlaskClient]
FROM_AFAR = {"REMOTE_ADDR": "192.0.2.7"}


def bucket(name: str, text: str) -> Bucket:
    rate = Rate.parse(text)
    assert rate is not None
    return Bucket(name, f"limit:test:{name}", rate)


class TestBuckets:
    def test_a_bucket_gives_what_it_holds_and_no_more(self, redis: Redis) -> None:
        few = [bucket("few", "5/hour")]
        seen = [take(redis, few)[0] for _ in range(7)]
        assert [level.left for level in seen] == [4, 3, 2, 1, 0, 0, 0]
        assert [level.wait > 0 for level in seen] == [False] * 5 + [True] * 2
        assert seen[-1].wait == pytest.approx(720, abs=20), "a fifth of an hour"
        assert seen[4].full_in == pytest.approx(3600, abs=20)
        assert 0 < redis.pttl(few[0].key) <= 3600_000

    def test_it_fills_evenly(self, redis: Redis) -> None:
        fast = [bucket("fast", "20/second")]
        began = time.monotonic()
        while take(redis, fast)[0].wait == 0:
            began = time.monotonic()
        time.sleep(0.26)
        given = 0
        while take(redis, fast)[0].wait == 0:
            given += 1
        assert 5 <= given <= 20 * (time.monotonic() - began) + 1, "a twentieth of a second each"
        until(lambda: not redis.exists(fast[0].key))  # a full one takes no room

    def test_several_give_all_or_nothing(self, redis: Redis) -> None:
        both = [bucket("many", "100/hour"), bucket("one", "1/hour")]
        assert [level.wait for level in take(redis, both)] == [0, 0]
        for _ in range(3):
            many, one = take(redis, both)
            assert (many.wait, many.left) == (0, 99), "nothing is taken of it"
            assert one.wait > 0

    def test_many_at_once_get_no_more_than_there_is(self, redis: Redis) -> None:
        shared = [bucket("shared", "50/hour")]
        given: list[float] = []

        def ask() -> None:
            given.extend(take(redis, shared)[0].wait for _ in range(20))

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sum(wait == 0 for wait in given) == 50

    def test_a_wide_one_is_written_now_and_then_and_gives_what_it_holds(self, redis: Redis) -> None:
        wide = [bucket("wide", "2000/hour")]
        given, before = 0, redis.info("commandstats").get("cmdstat_set", {"calls": 0})["calls"]
        while take(redis, wide)[0].wait == 0:
            given += 1
        assert 1300 < given < 2700, "six times the spread of the lots"
        assert redis.info("commandstats")["cmdstat_set"]["calls"] - before == 2000 // LUMP
        assert all(take(redis, wide)[0].wait > 0 or take(redis, wide)[0].left < LUMP for _ in range(20))

    @pytest.mark.parametrize("text", ["", "0/minute", "5", "5/year", "-1/second", "1.5/second", "5/minutes"])
    def test_what_is_no_rate(self, text: str) -> None:
        with pytest.raises(ValueError, match="30/minute"):
            Rate.parse(text)


def test_by_address_while_no_key_is_asked_for(start_app: Start, redis: Redis) -> None:
    client = start_app(limit_sessions_by_address="3/hour")
    told = [client.post(SESSIONS, environ_base=FROM_AFAR) for _ in range(4)]
    assert [answer.status_code for answer in told] == [200, 200, 200, 429]
    assert [answer.headers["RateLimit-Policy"] for answer in told] == ['"sessions-by-address";q=3;w=3600'] * 4
    assert re.fullmatch(r'"sessions-by-address";r=2;t=1(199|200)', told[0].headers["RateLimit"])
    assert re.fullmatch(r'"sessions-by-address";r=0;t=(3599|3600)', told[3].headers["RateLimit"])
    assert told[3].json["code"] == "too_many_sessions"
    assert int(told[3].headers["Retry-After"]) == pytest.approx(1200, abs=20)
    assert client.post(SESSIONS, environ_base={"REMOTE_ADDR": "192.0.2.8"}).status_code == 200
    same = {"REMOTE_ADDR": "::ffff:192.0.2.7"}
    assert client.post(SESSIONS, environ_base=same).status_code == 429, "the same address, as seen on [::]"


def test_an_ipv6_customer_is_one_address(start_app: Start) -> None:
    client = start_app(limit_sessions_by_address="1/hour")
    for address, status in [("2001:db8:1:2::1", 200), ("2001:db8:1:2:ffff::9", 429), ("2001:db8:1:3::1", 200)]:
        assert client.post(SESSIONS, environ_base={"REMOTE_ADDR": address}).status_code == status


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_this_machine_has_no_limits_while_no_key_is_asked_for(
    start_app: Start, make_key: MakeKey, address: str
) -> None:
    limits = {"limit_sessions_by_address": "1/hour", "limit_sessions_by_key": "1/hour"}
    here = {"REMOTE_ADDR": address}
    client = start_app(**limits)
    for _ in range(5):
        answer = client.post(SESSIONS, environ_base=here)
        assert answer.status_code == 200
        assert "RateLimit" not in answer.headers
    key, client = make_key(), start_app(**limits)
    told = [client.post(SESSIONS, environ_base=here, headers=key.headers).status_code for _ in range(2)]
    assert told == [200, 429]


def test_a_server_key_is_limited_by_itself_alone(start_app: Start, make_key: MakeKey) -> None:
    one, two = make_key(), make_key()
    client = start_app(limit_sessions_by_key="3/hour", limit_sessions_by_address="1/hour")
    told = [client.post(SESSIONS, headers=one.headers, environ_base=FROM_AFAR) for _ in range(4)]
    assert [answer.status_code for answer in told] == [200, 200, 200, 429]
    assert told[0].headers.getlist("RateLimit-Policy") == ['"sessions-by-key";q=3;w=3600']
    assert client.post(SESSIONS, headers=two.headers, environ_base=FROM_AFAR).status_code == 200


def test_a_client_key_is_limited_by_itself_and_by_address(start_app: Start, make_key: MakeKey) -> None:
    key = make_key("client")
    client = start_app(limit_sessions_by_key="3/hour", limit_sessions_by_address="1/hour")

    def create(address: str) -> int:
        return client.post(SESSIONS, headers=key.headers, environ_base={"REMOTE_ADDR": address}).status_code

    assert [create("192.0.2.1"), create("192.0.2.1")] == [200, 429]
    assert [create("192.0.2.2"), create("192.0.2.3"), create("192.0.2.4")] == [200, 200, 429]


def test_no_limit_where_that_is_set(start_app: Start) -> None:
    client = start_app(limit_sessions_by_address="off")
    assert {client.post(SESSIONS, environ_base=FROM_AFAR).status_code for _ in range(40)} == {200}


def test_without_redis_everyone_is_let_through_and_it_is_seen(start_app: Start) -> None:
    client = start_app(redis_url="redis://127.0.0.1:1/0", limit_sessions_by_address="1/hour")
    before = LIMITS_OPEN._value.get()
    with capture_logs() as lines:
        assert [client.post(SESSIONS, environ_base=FROM_AFAR).status_code for _ in range(2)] == [200, 200]
    assert [line["log_level"] for line in lines if line["event"] == "limits.open"] == ["warning"] * 2
    assert LIMITS_OPEN._value.get() == before + 2


def test_frames_by_session(start_app: Start, worker: Worker, redis: Redis) -> None:
    client = start_app(limit_frames="3/hour")

    def frame(session_id: str) -> tuple[int, str | None]:
        answer = client.post(
            f"{SESSIONS}/{session_id}/frame", data={"image": (io.BytesIO(jpeg()), "f")}, environ_base=FROM_AFAR
        )
        if answer.status_code == 429:
            assert answer.json["code"] == "too_many_frames"
            assert int(answer.headers["Retry-After"]) > 1000
        return answer.status_code, answer.headers.get("RateLimit", "").partition(";t")[0]

    one, two = (client.post(SESSIONS).json["session_id"] for _ in range(2))
    assert [frame(one) for _ in range(4)] == [
        (200, '"frames";r=2'),
        (200, '"frames";r=1'),
        (200, '"frames";r=0'),
        (429, '"frames";r=0'),
    ]
    assert redis.zcard(f"inflight:{one}") == 0, "the refused one is not waited for"
    assert frame(two)[0] == 200
    assert client.get(f"{SESSIONS}/{one}").json["state"] == "in_progress"


class TestFramesByKeyAndAddress:
    """Frames of many sessions, of one address or with one key."""

    @staticmethod
    def frame(
        client: FlaskClient, address: str, headers: dict[str, str] | None = None, **create: str
    ) -> tuple[int, str]:
        made = client.post(SESSIONS, headers=headers, query_string=create).json
        if "token" in made:
            headers = {"Authorization": f"Bearer {made['token']}"}
        answer = client.post(
            f"{SESSIONS}/{made['session_id']}/frame",
            data={"image": (io.BytesIO(jpeg()), "f")},
            environ_base={"REMOTE_ADDR": address},
            headers=headers,
        )
        if answer.status_code == 429:
            assert answer.json["code"] == "too_many_frames"
            assert int(answer.headers["Retry-After"]) > 100
            return 429, answer.json["detail"]
        return answer.status_code, " ".join(answer.headers.getlist("RateLimit-Policy"))

    def test_by_address(self, start_app: Start, worker: Worker) -> None:
        client = start_app(limit_frames_by_address="3/hour")
        told = [self.frame(client, "192.0.2.7") for _ in range(4)]
        assert [status for status, _ in told] == [200, 200, 200, 429]
        assert told[0][1] == '"frames";q=20;w=1 "frames-by-address";q=3;w=3600'
        assert "your network" in told[3][1]
        assert self.frame(client, "192.0.2.8")[0] == 200

    def test_an_ipv6_site_has_eight_times_the_limit_of_a_customer(self, start_app: Start, worker: Worker) -> None:
        client = start_app(limit_frames_by_address="1/hour")
        of_one = [self.frame(client, f"2001:db8:1:2::{n}")[0] for n in (1, 2)]
        assert of_one == [200, 429]
        of_all = [self.frame(client, f"2001:db8:1:{n}::1")[0] for n in range(10, 18)]
        assert of_all == [200] * 7 + [429]
        assert self.frame(client, "2001:db8:2::1")[0] == 200

    def test_by_key_with_the_tokens_of_its_sessions(self, start_app: Start, make_key: MakeKey, worker: Worker) -> None:
        key, other = make_key(), make_key()
        client = start_app(limit_frames_by_key="3/hour", limit_frames_by_address="2/hour")
        told = [self.frame(client, "192.0.2.7", key.headers) for _ in range(2)]
        assert [status for status, _ in told] == [200, 200]
        assert "frames-by-key" in told[0][1]
        assert "frames-by-address" not in told[0][1], "it is a backend's"
        status, policy = self.frame(client, "192.0.2.7", key.headers, token="true")
        assert status == 200
        assert "frames-by-key" not in policy, "a person needs not know how busy a backend is"
        status, detail = self.frame(client, "192.0.2.7", key.headers, token="true")
        assert (status, "API key" in detail) == (429, True)
        assert self.frame(client, "192.0.2.7", other.headers)[0] == 200

    def test_none_on_this_machine_while_no_key_is_asked_for(self, start_app: Start, worker: Worker) -> None:
        client = start_app(limit_frames_by_address="1/hour")
        assert [self.frame(client, "127.0.0.1") for _ in range(3)] == [(200, "")] * 3

    def test_creations_are_limited_by_site_too(self, start_app: Start) -> None:
        client = start_app(limit_sessions_by_address="1/hour")
        told = [client.post(SESSIONS, environ_base={"REMOTE_ADDR": f"2001:db8:7:{n}::1"}).status_code for n in range(9)]
        assert told == [200] * 8 + [429]

    def test_a_frame_over_its_address_s_share_is_told_to_come_back(
        self, start_app: Start, worker: Worker, redis: Redis
    ) -> None:
        client = start_app(frames_per_worker=4)
        for n in range(4):
            inflight.wait(redis, f"another's {n}", time.time())
        second = int(time.time())
        for at in range(second - 1, second + 3):
            redis.hset(f"shares:{at}", mapping={"": 300, "192.0.2.7/32": 290, "192.0.2.8/32": 10})
        made = client.post(SESSIONS).json["session_id"]
        answer = client.post(
            f"{SESSIONS}/{made}/frame", data={"image": (io.BytesIO(jpeg()), "f")}, environ_base=FROM_AFAR
        )
        assert (answer.status_code, answer.json["code"], answer.headers["Retry-After"]) == (503, "overloaded", "1")
        gate = client.application.extensions["resources"].gate
        assert not gate.is_shut, "frames of others are let in"
        assert gate.keeps_out(made)


def test_a_frames_limit_costs_no_round_trip_of_its_own(
    start_app: Start, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    import redis.client

    sent: list[str] = []
    execute = redis.client.Redis.execute_command

    def seen(client: redis.client.Redis, *command: object, **options: object) -> object:
        if threading.current_thread() is threading.main_thread():  # not the worker's
            sent.append(str(command[0]))
        return execute(client, *command, **options)

    client = start_app()
    address = f"{SESSIONS}/{client.post(SESSIONS).json['session_id']}/frame"

    def frame() -> int:
        return client.post(address, data={"image": (io.BytesIO(jpeg()), "f")}, environ_base=FROM_AFAR).status_code

    assert frame() == 200  # the scripts are known to Redis from here on
    monkeypatch.setattr(redis.client.Redis, "execute_command", seen)
    assert frame() == 200
    assert sent == ["EVALSHA", "EVALSHA", "BLPOP"]  # let in and counted; queued; its answer


class TestRefusals:
    """Requests without a valid key or token."""

    def test_a_network_has_so_many_and_a_valid_key_is_not_counted(self, start_app: Start, make_key: MakeKey) -> None:
        key = make_key()
        client = start_app(limit_refusals_by_address="3/hour", metrics_token=SecretStr("a-token-of-sixteen-or-more"))
        unknown = {"Authorization": f"Bearer lk_{key.id}_{'x' * 43}"}

        def ask(headers: dict[str, str], address: str = "192.0.2.7", path: str = SESSIONS) -> tuple[int, str | None]:
            method = "POST" if path == SESSIONS else "GET"
            answer = client.open(path, method=method, headers=headers, environ_base={"REMOTE_ADDR": address})
            return answer.status_code, answer.json.get("code") if answer.status_code != 200 else None

        with capture_logs() as lines:
            assert ask({}) == (401, "key_missing")
            assert ask(unknown) == (401, "key_unknown")
            assert ask({"Authorization": "Bearer eyJhbGciOiJub25lIn0.e30."}) == (401, "token_unknown")
            for headers in ({}, unknown, {"Authorization": "Bearer eyJ"}):
                assert ask(headers) == (429, "too_many_refusals")
            assert ask({}, path="/metrics") == (429, "too_many_refusals")
        assert ask(key.headers) == (200, None), "of the same address"
        assert ask({}, "192.0.2.8") == (401, "key_missing")
        refused = [line for line in lines if line["event"] == "access.refused"]
        assert [(line["problem"], line["network"], line["claimed_key_id"]) for line in refused] == [
            ("key_missing", "192.0.2.0/24", None),
            ("key_unknown", "192.0.2.0/24", key.id),
            ("token_unknown", "192.0.2.0/24", None),
        ]
        assert "192.0.2.7" not in str(lines)
        assert "x" * 43 not in str(lines)
        assert [line["log_level"] for line in lines if line.get("problem") == "too_many_refusals"] == ["debug"] * 4
        answer = client.post(SESSIONS, environ_base=FROM_AFAR)
        assert int(answer.headers["Retry-After"]) > 60

    def test_without_redis_each_one_is_a_401(self, start_app: Start, make_key: MakeKey) -> None:
        make_key()
        client = start_app(limit_refusals_by_address="1/hour", redis_url="redis://127.0.0.1:1/0")
        assert [client.post(SESSIONS).status_code for _ in range(3)] == [401] * 3

    def test_it_can_be_off(self, start_app: Start, make_key: MakeKey) -> None:
        make_key()
        client = start_app(limit_refusals_by_address="off")
        assert {client.post(SESSIONS).status_code for _ in range(100)} == {401}


def test_a_frame_that_is_refused_as_too_much_takes_no_token(start_app: Start, worker: Worker, redis: Redis) -> None:
    client = start_app(limit_frames="2/hour", frames_per_session=1)
    session_id = client.post(SESSIONS).json["session_id"]

    def frame() -> tuple[int, str | None]:
        answer = client.post(
            f"{SESSIONS}/{session_id}/frame", data={"image": (io.BytesIO(jpeg()), "f")}, environ_base=FROM_AFAR
        )
        return answer.status_code, answer.headers.get("RateLimit", "").partition(";t")[0]

    assert inflight.enter(redis, session_id, "under way", time.time()).entry is inflight.Entry.TAKEN
    assert [frame() for _ in range(3)] == [(429, "")] * 3
    inflight.leave(redis, session_id, "under way")
    assert [frame(), frame()] == [(200, '"frames";r=1'), (200, '"frames";r=0')]
