"""What lies in Redis beside the queue: pictures, answers, frames under way, signs of life."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from shared.handoff import answers, frame_pictures, inflight, worker_presence
from shared.handoff.answers import Answer, FrameProblem
from shared.handoff.worker_presence import Heart
from shared.liveness.session import LONGEST_TRANSIT
from shared.redis import keyspace
from shared.redis.client import COMMAND_TIMEOUT, make_redis
from tests import waiting
from workers import tracking
from workers.vision.landmarks import Region
from workers.vision.prior import Prior

NOW = 1_790_000_000.123456
ANSWER = Answer(problem=FrameProblem("session_not_found", "Gone."))


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    with make_redis(redis_url, blocks_for=waiting.PATIENCE) as client:
        yield client


def test_a_picture_stays_until_it_is_dropped_and_expires_by_itself(client):
    frame_pictures.put(client, "f", b"\xff\xd8", 100.5)
    assert 100_500 - 1000 * waiting.PATIENCE < client.pttl(keyspace.frame("f")) <= 100_500
    assert frame_pictures.look(client, "f") == frame_pictures.look(client, "f") == b"\xff\xd8"
    frame_pictures.drop(client, "f")
    assert frame_pictures.look(client, "f") is None


def test_an_answer_wakes_who_waits_for_it_and_is_gone_then(client):
    with ThreadPoolExecutor(1) as another:
        waited = another.submit(answers.wait, client, "f", waiting.PATIENCE)
        waiting.until(lambda: client.info("clients")["blocked_clients"])
        answers.push(client, "f", ANSWER)
        assert waited.result() == ANSWER
    assert client.keys("*") == []


def test_an_answer_that_came_first_is_there_and_expires_if_nobody_wants_it(client):
    answers.push(client, "f", ANSWER)
    assert 0 < client.ttl(keyspace.answer("f")) <= keyspace.ANSWER_TTL
    assert answers.wait(client, "f", 0) == ANSWER


def test_waiting_ends_after_the_part_of_a_second_that_was_asked_for(client):
    started = time.monotonic()
    assert answers.wait(client, "f", 0.3) is None
    assert 0.25 < time.monotonic() - started < waiting.PATIENCE
    assert answers.wait(client, "f", 0) is None


def test_a_client_blocks_longer_than_its_patience_if_it_was_told_so(redis_url):
    """redis-py's socket timeout would else take the patient server for a dead one."""
    with make_redis(redis_url, blocks_for=COMMAND_TIMEOUT + 0.5) as client:
        assert answers.wait(client, "f", COMMAND_TIMEOUT + 0.4) is None


def test_only_frames_that_arrived_earlier_and_not_long_ago_count(client):
    for frame_id, at in {"a": NOW, "b": NOW + 0.1, "c": NOW + 0.1, "dead": NOW - LONGEST_TRANSIT - 1}.items():
        inflight.enter(client, "s", frame_id, at)
    inflight.enter(client, "another session", "x", NOW - 0.1)
    assert [inflight.count_earlier(client, "s", at) for at in (NOW, NOW + 0.1, NOW + 0.2)] == [0, 1, 3]
    inflight.leave(client, "s", "a")
    assert inflight.count_earlier(client, "s", NOW + 0.1) == 0
    assert 0 < client.ttl(keyspace.inflight("s")) <= keyspace.INFLIGHT_TTL


LIMITS = inflight.Limits(of_session=2, per_worker=4, age=1.0)


def taken(client: redis.Redis, session_id: str, frame_id: str, at: float = NOW) -> inflight.Entry:
    """A frame arrives, and is read whole at once."""
    entry = inflight.enter(client, session_id, frame_id, at, LIMITS).entry
    if entry is inflight.Entry.TAKEN:
        inflight.wait(client, frame_id, at)
    return entry


def test_a_session_has_no_more_under_way_than_it_may(client):
    assert [taken(client, "greedy", f"g{n}") for n in range(3)] == [0, 0, inflight.Entry.TOO_MANY]
    assert taken(client, "modest", "m") == 0
    inflight.leave(client, "greedy", "g0")
    assert taken(client, "greedy", "g3") == 0
    # Those that nobody will ever answer are no reason to refuse it for good.
    assert taken(client, "greedy", "g4", NOW + LONGEST_TRANSIT + 1) == 0


def test_more_than_the_workers_can_do_is_refused_and_leaves_nothing(client):
    for n in range(4):
        tracking.keep(client, f"s{n}", NOW, None)
        tracking.keep(client, f"t{n}", NOW, None)
    assert [taken(client, f"s{n}", f"f{n}") for n in range(5)] == [0, 0, 0, 0, inflight.Entry.BEHIND]
    assert inflight.count_earlier(client, "s4", NOW + 1) == 0
    worker_presence.beat(client, "one", NOW)
    worker_presence.beat(client, "two", NOW)
    assert [taken(client, f"t{n}", f"u{n}") for n in range(5)] == [0, 0, 0, 0, inflight.Entry.BEHIND]
    for n in range(4):
        inflight.leave(client, f"s{n}", f"f{n}")
    client.delete(keyspace.BEHIND)  # as Redis does after BEHIND_TTL
    assert taken(client, "s4", "f4") == 0


def test_before_that_who_has_not_begun_waits_and_who_has_goes_on(client):
    begun = [f"s{n}" for n in range(4)]
    for session_id in begun:
        tracking.keep(
            client, session_id, NOW, None
        )  # as a worker does with each frame that it judges, with a face or without
    assert [taken(client, f"new{n}", f"n{n}") for n in range(4)] == [0, 0, 0, inflight.Entry.NOT_YET]
    assert inflight.count_earlier(client, "new3", NOW + 1) == 0
    assert not inflight.behind(client), "who waits must not prolong the wait"
    assert [taken(client, begun[0], "f"), taken(client, begun[1], "g")] == [0, inflight.Entry.BEHIND]
    inflight.leave(client, begun[0], "f")
    assert taken(client, "new3", "n3") == inflight.Entry.NOT_YET
    inflight.leave(client, "new0", "n0")
    # A lull admits nobody: the workers were behind a moment ago.
    assert taken(client, "new3", "n3") == inflight.Entry.NOT_YET
    assert inflight.behind(client)
    assert 0 < client.ttl(keyspace.BEHIND) <= keyspace.BEHIND_TTL
    assert taken(client, begun[2], "h") == 0, "a session under way goes on"
    inflight.leave(client, begun[2], "h")
    client.delete(keyspace.BEHIND)  # as Redis does after BEHIND_TTL
    assert taken(client, "new3", "n3") == 0


def test_workers_that_keep_up_are_not_behind(client):
    assert [taken(client, f"s{n}", f"f{n}") for n in range(3)] == [0, 0, 0]
    assert not inflight.behind(client)


WHOLE = inflight.Limits(of_session=8, per_worker=24, age=2.0)
CROWD, PERSON = inflight.Sharer("192.0.2.7/32"), inflight.Sharer("198.51.100.1/32")


def begun(client: redis.Redis, name: str, count: int) -> list[str]:
    """Sessions of which a worker has judged a frame."""
    names = [f"{name}{n}" for n in range(count)]
    for session_id in names:
        tracking.keep(client, session_id, NOW, None)
    return names


def asked(client: redis.Redis, session_id: str, n: int, at: float, sharer: inflight.Sharer) -> inflight.Entry:
    entry = inflight.enter(client, session_id, f"{session_id} {n}", at, WHOLE, sharer=sharer).entry
    if entry is inflight.Entry.TAKEN:
        inflight.wait(client, f"{session_id} {n}", at)
    return entry


def test_one_address_with_many_begun_sessions_keeps_nobody_else_out(client):
    """600 frames a second from one address against one worker, and a person who begins and sends 8 a second."""
    worker_presence.beat(client, "only worker", NOW)
    crowd = begun(client, "crowd", 40)
    seen: dict[inflight.Sharer, list[inflight.Entry]] = {CROWD: [], PERSON: []}
    waiting: list[tuple[str, int]] = []
    for n in range(2400):  # four seconds
        at = NOW + n / 600
        if n % 6 == 0 and waiting:  # a frame takes the worker 10 ms
            session_id, number = waiting.pop(0)
            inflight.leave(client, session_id, f"{session_id} {number}")
            if session_id == "person":
                tracking.keep(client, session_id, at, None)
        who, session_id = (PERSON, "person") if n % 75 == 74 else (CROWD, crowd[n % 40])
        seen[who].append(asked(client, session_id, n, at, who))
        if seen[who][-1] is inflight.Entry.TAKEN:
            waiting.append((session_id, n))
    first, *rest = seen[PERSON]
    assert first in (inflight.Entry.TAKEN, inflight.Entry.NOT_YET), "the crowd was alone until then"
    assert rest == [inflight.Entry.TAKEN] * 31
    assert inflight.Entry.BEHIND not in seen[CROWD], "the gate would be shut for the person too"
    assert seen[CROWD].count(inflight.Entry.TAKEN) > 300, "what the person leaves is the crowd's"


def test_an_address_alone_has_all_but_a_reserve(client):
    crowd = begun(client, "crowd", 40)
    entries = [asked(client, crowd[n], n, NOW, CROWD) for n in range(40)]
    assert entries.count(inflight.Entry.TAKEN) >= 21
    assert entries[-10:] == [inflight.Entry.OVER_SHARE] * 10
    assert 0 < client.ttl(keyspace.shares(int(NOW))) <= keyspace.SHARES_TTL
    assert not inflight.behind(client), "one network must not keep the others from creating sessions"


def test_people_within_their_share_are_served_as_without_shares(client):
    """Twelve addresses of one person each: all places are taken, and only then is a frame refused."""
    people = begun(client, "p", 12)
    entries = [asked(client, people[n % 12], n, NOW, inflight.Sharer(f"198.51.100.{n % 12}/32")) for n in range(25)]
    assert entries == [inflight.Entry.TAKEN] * 24 + [inflight.Entry.BEHIND]
    assert inflight.behind(client)


def test_a_backend_s_sessions_count_and_are_not_held_to_a_share(client):
    people = begun(client, "p", 40)
    entries = [asked(client, people[n], n, NOW, inflight.Sharer("backend", bounded=False)) for n in range(25)]
    assert entries == [inflight.Entry.TAKEN] * 24 + [inflight.Entry.BEHIND]
    assert client.hget(keyspace.shares(int(NOW)), "backend") is not None
    assert inflight.behind(client)


def test_frames_still_being_sent_are_in_nobody_s_way(client):
    """A slow upload keeps a place in its own session's share and no other."""
    for n in range(20):
        assert inflight.enter(client, f"slow{n}", f"f{n}", NOW - 3, LIMITS).entry == 0
    assert taken(client, "s", "f") == 0


def test_a_frame_that_has_waited_for_long_means_that_others_would_but_one_that_is_worked_on_does_not(client):
    worker_presence.beat(client, "only worker", NOW)
    assert taken(client, "a", "in work", NOW - 1.5) == 0
    assert taken(client, "b", "waits", NOW - 0.5) == 0
    assert taken(client, "c", "early enough", NOW) == 0
    assert taken(client, "d", "too late", NOW + 0.6) == inflight.Entry.BEHIND


def test_the_newest_waiting_frame_of_a_session_is_known(client):
    for n in range(3):
        assert taken(client, f"s{n % 2}", f"f{n}", NOW + n / 10) == 0
    inflight.enter(client, "s0", "being sent", NOW + 0.9)
    assert inflight.newer(client, "s0", NOW) == pytest.approx(NOW + 0.2, abs=1e-6)
    assert inflight.newer(client, "s0", NOW + 0.2) is None
    assert inflight.newer(client, "s1", NOW + 0.1) is None


def test_the_newest_frame_s_prior_is_kept_whatever_the_order(client):
    def prior(at: float) -> Prior:
        return Prior(region=Region(320.5, 240.25, 200.0, -3.5), at=at, seen_at=at, searched_at=at, faces=1)

    def kept() -> Prior | None:
        return tracking.decode(tracking.look(client, "s"))

    assert kept() is None
    tracking.keep(client, "s", NOW, prior(NOW))
    assert kept() == prior(NOW)
    tracking.keep(client, "s", NOW - 0.001, prior(NOW - 0.001))
    assert kept() == prior(NOW)
    tracking.keep(client, "s", NOW + 0.001, prior(NOW + 0.001))
    assert kept() == prior(NOW + 0.001)
    tracking.keep(client, "s", NOW + 0.002, None)  # lost: nobody goes on from the place before
    assert kept() is None
    tracking.keep(client, "s", NOW + 0.001, prior(NOW + 0.001))
    assert kept() is None
    assert 0 < client.ttl(keyspace.prior("s")) <= keyspace.PRIOR_TTL


def test_a_prior_of_another_version_of_the_code_is_none():
    assert tracking.decode(b"\x81\xa1x\x01") is None


def test_workers_are_seen_from_their_first_sign_of_life_until_they_fall_silent(client):
    worker_presence.beat(client, "a", NOW)
    worker_presence.beat(client, "b", NOW + 5)
    assert worker_presence.seen_lately(client, NOW + 5) == 2
    assert worker_presence.seen_lately(client, NOW + keyspace.PRESENCE_LATELY + 1) == 1
    worker_presence.leave(client, "b")
    assert worker_presence.seen_lately(client, NOW + 5) == 1
    worker_presence.beat(client, "c", NOW + keyspace.PRESENCE_TTL + 1)
    assert client.zrange(keyspace.workers("frames"), 0, -1) == [b"c"]
    assert 0 < client.ttl(keyspace.workers("frames")) <= keyspace.PRESENCE_TTL
    assert worker_presence.seen_lately(client, NOW + keyspace.PRESENCE_TTL + 1, "identity") == 0


def test_a_heart_beats_until_it_is_stopped(client):
    heart = Heart(client)
    heart.start()
    waiting.until(lambda: worker_presence.seen_lately(client) == 1)
    heart.stop()
    assert worker_presence.seen_lately(client) == 0


def test_a_heart_without_redis_goes_on_trying(monkeypatch):
    monkeypatch.setattr(keyspace, "PRESENCE_EVERY", 0.01)
    tries: list[str] = []

    def counted(redis: redis.Redis, worker: str, *rest: object) -> None:
        tries.append(worker)
        beat(redis, worker, *rest)

    beat = worker_presence.beat
    monkeypatch.setattr(worker_presence, "beat", counted)
    heart = Heart(make_redis("redis://127.0.0.1:1/0"))
    heart.start()
    waiting.until(lambda: len(tries) >= 3)
    heart.stop()
