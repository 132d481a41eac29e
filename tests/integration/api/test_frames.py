"""Submitting frames: over the real queue to real workers; only what these see is told by the tests."""

from __future__ import annotations

import io
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import dramatiq
import pytest
import structlog
from dramatiq import Worker
from flask.testing import FlaskClient
from PIL import Image
from redis import Redis
from sqlalchemy import Engine
from werkzeug.test import TestResponse

from shared.db import UnitOfWork
from shared.handoff import answers, inflight
from shared.handoff.answers import Answer
from shared.liveness.camera import CameraReport
from shared.liveness.challenge import ChallengeType
from shared.liveness.hints import Hint
from shared.liveness.observation import Observation
from shared.liveness.session import FrameResult, Session, State
from shared.queue.broker import make_broker
from shared.queue.messages import FRAMES, MEASURE_FRAME
from shared.redis import keyspace
from shared.redis.client import make_redis
from shared.redis.timekeeping import now
from shared.settings import Settings
from tests.endings import nothing_else
from tests.integration.api.conftest import SESSIONS, Eyes, session_like
from tests.integration.api.test_sessions import ENDS, UNKNOWN
from tests.integration.redis_server import RedisServer, running_server
from tests.waiting import PATIENCE, until
from workers import tracking
from workers.vision.errors import BadImage

FIELDS = [
    "session_id",
    "challenge_type",
    "passed",
    "confidence",
    "challenges_remaining",
    "session_complete",
    "is_live",
    "state",
    "hint",
    "challenge",
    "face",
]


def jpeg(shade: int = 128) -> bytes:
    out = io.BytesIO()
    Image.new("L", (64, 48), shade).save(out, "JPEG")
    return out.getvalue()


def post(client: FlaskClient, session_id: str, data: bytes | None = None, **fields: str) -> TestResponse:
    """Submit a picture, or a form of text fields. (Made by hand: werkzeug's client would make temporary files.)"""
    if fields:
        return client.post(f"{SESSIONS}/{session_id}/frame", data=fields, content_type="multipart/form-data")
    head = (
        b'--x\r\nContent-Disposition: form-data; name="image"; filename="frame.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
    )
    body = head + (jpeg() if data is None else data) + b"\r\n--x--\r\n"
    return client.post(f"{SESSIONS}/{session_id}/frame", data=body, content_type="multipart/form-data; boundary=x")


def new_session(client: FlaskClient, query: str = "") -> str:
    created: str = client.post(f"{SESSIONS}{query}").json["session_id"]
    return created


def state_of(client: FlaskClient, session_id: str) -> str:
    state: str = client.get(f"{SESSIONS}/{session_id}").json["state"]
    return state


def nothing_under_way(redis: Redis) -> bool:
    """No picture, no answer, no frame in flight, and soon no message: a worker answers first, then tells the queue."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if not [key for key in redis.scan_iter() if not re.search(rb"__heartbeats__|\.wake$|^(prior|ended):", key)]:
            return True
        time.sleep(0.02)
    return False


def test_the_answer_as_documented(client: FlaskClient, worker: Worker, redis: Redis) -> None:
    session_id = new_session(client)
    answer = post(client, session_id)
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    assert list(answer.json) == FIELDS
    assert answer.json["session_id"] == session_id
    assert answer.json["challenge_type"] in set(ChallengeType)
    assert (answer.json["passed"], answer.json["is_live"], answer.json["session_complete"]) == (False, None, False)
    assert (answer.json["state"], answer.json["challenges_remaining"]) == ("in_progress", 3)
    assert state_of(client, session_id) == "in_progress"
    assert nothing_under_way(redis)


@contextmanager
def answering(settings: Settings, redis: Redis, result: Callable[[str], FrameResult]) -> Iterator[None]:
    """A worker that judges nothing and says what it is told."""
    broker = make_broker(settings)

    def say(session_id: str, frame_id: str, arrived_at: float) -> None:
        answers.push(redis, frame_id, Answer(result=result(session_id)))

    dramatiq.actor(say, broker=broker, actor_name=MEASURE_FRAME, queue_name=FRAMES)
    worker = Worker(broker, worker_threads=1, worker_timeout=100)
    worker.start()
    try:
        yield
    finally:
        worker.stop()
        broker.close()


def test_a_pass_and_a_verdict_as_documented(client: FlaskClient, settings: Settings, redis: Redis) -> None:
    session_id = new_session(client)
    passed = FrameResult(session_id, ChallengeType.TURN_LEFT, True, 0.92, 2, False, None, State.IN_PROGRESS)
    with answering(settings, redis, lambda _: passed):
        assert post(client, session_id).json == {
            "session_id": session_id,
            "challenge_type": "TURN_LEFT",
            "passed": True,
            "confidence": 0.92,
            "challenges_remaining": 2,
            "session_complete": False,
            "is_live": None,
            "state": "in_progress",
            "hint": None,
            "challenge": None,
            "face": None,
        }
    last = FrameResult(
        session_id, ChallengeType.SMILE, True, 1.0, 0, True, True, State.COMPLETED, Hint("passed", "Well done.")
    )
    with answering(settings, redis, lambda _: last):
        answer = post(client, session_id).json
    assert (answer["challenges_remaining"], answer["session_complete"], answer["is_live"]) == (0, True, True)
    assert (answer["state"], answer["hint"]) == ("completed", {"code": "passed", "text": "Well done."})


@pytest.mark.parametrize("state", ["completed", "failed", "expired"])
def test_a_frame_for_an_ended_session_is_answered_from_its_row(
    client: FlaskClient, keep: Callable[[Session], Session], redis: Redis, state: str
) -> None:
    """Without a worker: nothing is queued."""
    session = session_like(**ENDS[state])
    if state == "completed":
        for challenge in session.challenges:
            challenge.passed_at = 1005.0
    keep(session)
    for data in (jpeg(), b"whatever"):
        answer = post(client, session.id, data)
        assert answer.status_code == 200
        assert answer.json == {
            "session_id": session.id,
            "challenge_type": None,
            "passed": False,
            "confidence": 0.0,
            "challenges_remaining": 0 if state == "completed" else 3,
            "session_complete": state == "completed",
            "is_live": True if state == "completed" else None,
            "state": state,
            "hint": {"code": "ended", "text": "This session has ended. Start a new one to try again."},
            "challenge": None,
            "face": None,
        }
    assert redis.keys() == []


def test_a_frame_for_an_overdue_session_ends_it(
    client: FlaskClient, keep: Callable[[Session], Session], redis: Redis
) -> None:
    keep(session_like(expires_at=time.time() - 1))
    assert post(client, session_like().id).json["state"] == "expired"
    assert redis.keys() == [keyspace.ended(session_like().id).encode()]


def test_a_frame_for_an_session_not_found_is_not_queued(client: FlaskClient, redis: Redis) -> None:
    answer = post(client, UNKNOWN)
    assert (answer.status_code, answer.json["code"]) == (404, "session_not_found")
    assert redis.keys() == []


BAD: dict[str, bytes | dict[str, str]] = {
    "image_missing": {"note": "x"},
    "image_not_a_file": {"image": "text"},
    "image_empty": b"",
    "not_an_image": b"hello",
    "truncated_image": jpeg()[:-9],
    "too_many_pixels": b"\xff\xd8\xff\xc0\0\x0b\x08\xff\xff\xff\xff\x01\x01\x11\0",
    "picture_too_large": bytes(4 * 2**20 + 1),
}


@pytest.mark.parametrize("code", BAD)
def test_bad_input_is_refused_before_anything_is_queued(client: FlaskClient, redis: Redis, code: str) -> None:
    session_id = new_session(client)
    sent = BAD[code]
    answer = post(client, session_id, sent) if isinstance(sent, bytes) else post(client, session_id, **sent)
    assert answer.json["code"] == code
    assert answer.status_code in (413, 422)
    assert nothing_under_way(redis)
    assert state_of(client, session_id) == "pending", "it counts as no answer to a challenge"


def test_what_only_a_worker_can_see_is_a_problem_too(client: FlaskClient, worker: Worker, eyes: Eyes) -> None:
    def refuse(data: bytes) -> Observation:
        raise BadImage("unsupported_image", "Send it in colour.")

    eyes.see = refuse
    session_id = new_session(client)
    answer = post(client, session_id)
    assert (answer.status_code, answer.json["code"], answer.json["detail"]) == (
        422,
        "unsupported_image",
        "Send it in colour.",
    )
    assert answer.json["title"]
    assert state_of(client, session_id) == "pending"


def test_a_worker_that_fails_is_a_503_and_the_session_goes_on(client: FlaskClient, worker: Worker, eyes: Eyes) -> None:
    eyes.see = lambda data: 1 / 0  # type: ignore[return-value]
    session_id = new_session(client)
    answer = post(client, session_id)
    assert (answer.status_code, answer.json["code"]) == (503, "unavailable")
    assert answer.headers["Retry-After"]
    eyes.see = lambda data: Observation(faces=0)
    assert post(client, session_id).status_code == 200


def test_without_a_worker_the_answer_is_503_in_time(start_app: Callable[..., FlaskClient], redis: Redis) -> None:
    client = start_app(frame_deadline=0.4)
    session_id = new_session(client)
    before = time.monotonic()
    answer = post(client, session_id)
    assert 0.3 < time.monotonic() - before < PATIENCE / 2, "by this app's deadline, not by the other tests'"
    assert (answer.status_code, answer.json["code"]) == (503, "no_answer_in_time")
    assert answer.headers["Retry-After"] == "1"
    assert not redis.keys("frame:*"), "nobody waits for the picture any more"
    assert inflight.count_earlier(redis, session_id, time.time()) == 0
    assert state_of(client, session_id) == "pending"


def test_each_request_gets_its_own_answer(client: FlaskClient, worker: Worker, eyes: Eyes, redis: Redis) -> None:
    """Many frames of many sessions at once, answered out of order."""
    shades = {jpeg(shade): shade for shade in range(0, 240, 8)}

    def see(data: bytes) -> Observation:
        time.sleep((shades[data] % 3) / 100)
        return Observation(faces=0)

    eyes.see = see
    sessions = [new_session(client) for _ in range(5)]
    app = client.application

    def ask(number: int, data: bytes) -> tuple[str, TestResponse]:
        session_id = sessions[number % len(sessions)]
        return session_id, post(app.test_client(), session_id, data)

    with ThreadPoolExecutor(8) as pool:
        for session_id, answer in pool.map(ask, range(len(shades)), shades):
            assert answer.status_code == 200, answer.text
            assert answer.json["session_id"] == session_id
    assert set(eyes.seen) == set(shades)  # some twice where these workers were held up, and so taken for dead
    assert nothing_under_way(redis)


def test_cancelling_while_a_frame_is_looked_at(client: FlaskClient, worker: Worker, eyes: Eyes, engine: Engine) -> None:
    looking, go_on = threading.Event(), threading.Event()

    def see(data: bytes) -> Observation:
        looking.set()
        assert go_on.wait(PATIENCE)
        return Observation(faces=0)

    eyes.see = see
    session_id = new_session(client)
    with ThreadPoolExecutor(1) as pool:
        frame = pool.submit(post, client.application.test_client(), session_id)
        assert looking.wait(PATIENCE)
        assert client.delete(f"{SESSIONS}/{session_id}").json == {"cancelled": session_id}
        go_on.set()
        answer = frame.result(PATIENCE)
    assert (answer.status_code, answer.json["code"]) == (404, "session_not_found")
    assert client.get(f"{SESSIONS}/{session_id}").status_code == 404
    with UnitOfWork(engine, read_only=True) as uow:
        assert uow.sessions.get(session_id) is None, "the frame has not brought it back"


def test_cancelling_races_frames(client: FlaskClient, worker: Worker) -> None:
    """Whenever it comes, each frame is answered, and none after it finds the session."""
    app = client.application
    for pause in (0.0, 0.002, 0.005, 0.01, 0.02):
        session_id = new_session(client)
        with ThreadPoolExecutor(4) as pool:
            frames = [pool.submit(post, app.test_client(), session_id) for _ in range(4)]
            time.sleep(pause)
            assert client.delete(f"{SESSIONS}/{session_id}").status_code == 200
            found = {frame.result(PATIENCE).status_code for frame in frames}
        assert found <= {200, 404}
        assert post(client, session_id).status_code == 404


def test_a_frame_is_timed_and_in_flight_from_its_arrival(
    start_app: Callable[..., FlaskClient], redis: Redis, settings: Settings
) -> None:
    """Before its picture has been read: a slow upload must not let a later frame time the challenge out."""
    client = start_app(frame_deadline=0.2)
    session_id = new_session(client)
    found: list[int] = []
    begun = now()

    class Slow(io.BytesIO):
        def readinto(self, buffer: Any, /) -> int:
            found.append(inflight.count_earlier(redis, session_id, now()))
            found.append(inflight.count_earlier(redis, session_id, begun))
            return super().readinto(buffer)

    client.post(
        f"{SESSIONS}/{session_id}/frame",
        input_stream=Slow(b"--x--\r\n"),
        content_type="multipart/form-data; boundary=x",
        content_length=7,
    )
    assert found[:2] == [1, 0]
    assert inflight.count_earlier(redis, session_id, time.time()) == 0


def unread(client: FlaskClient, session_id: str) -> TestResponse:
    """Send a frame whose body must not be touched."""

    class Untouched(io.BytesIO):
        def readinto(self, buffer: Any, /) -> int:
            pytest.fail("the picture was read")

    return client.post(
        f"{SESSIONS}/{session_id}/frame",
        input_stream=Untouched(b"--x--\r\n"),
        content_type="multipart/form-data; boundary=x",
        content_length=7,
    )


def test_more_frames_than_can_be_judged_are_refused_before_they_are_read(
    start_app: Callable[..., FlaskClient], redis: Redis
) -> None:
    client = start_app(frames_per_worker=3)
    session_id = new_session(client)
    for n in range(3):
        inflight.wait(redis, f"another session's {n}", time.time())
    answer = unread(client, session_id)
    assert (answer.status_code, answer.json["code"], answer.headers["Retry-After"]) == (503, "overloaded", "1")
    assert inflight.count_earlier(redis, session_id, time.time()) == 0
    assert state_of(client, session_id) == "pending"


def test_while_the_workers_are_behind_others_are_refused_without_asking(
    start_app: Callable[..., FlaskClient], redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even who they are; and as soon as the gate opens it is asked again."""
    client = start_app(frames_per_worker=3)
    session_id = new_session(client)
    at = [1000.0]
    monkeypatch.setattr("api.gate.time", SimpleNamespace(monotonic=lambda: at[0]))
    for n in range(3):
        inflight.wait(redis, f"another session's {n}", time.time())
    with structlog.testing.capture_logs() as lines:
        for session in (session_id, UNKNOWN):
            answer = unread(client, session)
            assert (answer.status_code, answer.json["code"], answer.headers["Retry-After"]) == (503, "overloaded", "1")
            assert answer.headers["X-Request-ID"]
    assert [line["event"] for line in lines if line["log_level"] != "debug"] == ["overloaded"]
    for n in range(3):
        inflight.leave(redis, "another", f"another session's {n}")
    assert unread(client, session_id).json["code"] == "overloaded"
    assert client.get(f"{SESSIONS}/{session_id}").status_code == 200
    at[0] += 0.007
    answer = client.post(
        f"{SESSIONS}/{session_id}/frame", data=b"--x--\r\n", content_type="multipart/form-data; boundary=x"
    )
    assert answer.json["code"] == "image_missing"


def test_while_the_workers_have_enough_to_do_who_has_begun_goes_on_and_others_are_told_to_wait(
    start_app: Callable[..., FlaskClient], redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = start_app(frames_per_worker=4)
    begun, new, other = (new_session(client) for _ in range(3))
    tracking.keep(redis, begun, time.time(), None)
    at = [1000.0]
    monkeypatch.setattr("api.gate.time", SimpleNamespace(monotonic=lambda: at[0]))
    for n in range(3):
        inflight.wait(redis, f"another session's {n}", time.time())
    empty: dict[str, Any] = {"data": b"--x--\r\n", "content_type": "multipart/form-data; boundary=x"}
    with structlog.testing.capture_logs() as lines:
        for _ in range(2):
            answer = unread(client, new)
            assert (answer.status_code, answer.json["code"], answer.headers["Retry-After"]) == (503, "overloaded", "1")
            assert client.post(f"{SESSIONS}/{begun}/frame", **empty).json["code"] == "image_missing", "it was let in"
    assert [line["event"] for line in lines if line["event"] != "request"] == ["overloaded"], "once in a while"
    assert state_of(client, new) == "pending"
    inflight.leave(redis, "another", "another session's 0")
    redis.delete(keyspace.BEHIND)  # as Redis does after BEHIND_TTL
    assert client.post(f"{SESSIONS}/{other}/frame", **empty).json["code"] == "image_missing"
    assert unread(client, new.upper()).json["code"] == "overloaded", "it need not ask for a moment"
    at[0] += 0.501
    assert client.post(f"{SESSIONS}/{new}/frame", **empty).json["code"] == "image_missing"


def test_a_session_that_floods_is_told_to_wait_and_the_others_are_served(
    start_app: Callable[..., FlaskClient], worker: Worker, eyes: Eyes, redis: Redis
) -> None:
    client = start_app(frames_per_session=2)
    flooding, other = new_session(client), new_session(client)
    go_on = threading.Event()

    def see(data: bytes) -> Observation:
        assert go_on.wait(PATIENCE)
        return Observation(faces=0)

    eyes.see = see
    app = client.application
    with ThreadPoolExecutor(2) as pool:
        held = [pool.submit(post, app.test_client(), flooding) for _ in range(2)]
        until(lambda: inflight.count_earlier(redis, flooding, time.time()) == 2)
        answer = unread(client, flooding)
        assert (answer.status_code, answer.json["code"], answer.headers["Retry-After"]) == (429, "too_many_frames", "1")
        eyes.see = lambda data: Observation(faces=0)
        go_on.set()
        assert [frame.result(PATIENCE).status_code for frame in held] == [200, 200]
    assert post(client, other).status_code == 200
    assert post(client, flooding).status_code == 200
    assert nothing_under_way(redis)


def test_a_session_cancelled_or_ended_elsewhere_is_so_for_the_next_frame(
    start_app: Callable[..., FlaskClient], worker: Worker, engine: Engine
) -> None:
    """Another web process did it; this one has just seen the session alive."""
    here, elsewhere = start_app(), start_app()
    cancelled, ended = new_session(here), new_session(here)
    for session_id in (cancelled, ended):
        assert post(here, session_id).status_code == 200
    assert elsewhere.delete(f"{SESSIONS}/{cancelled}").status_code == 200
    with UnitOfWork(engine, on_end=nothing_else) as uow:
        session = uow.sessions.get(ended, lock=True)
        assert session is not None
        session.expires_at = time.time()
        session.tick(time.time() + 1)
        uow.sessions.save(session)
        uow.commit()
    answer = post(here, cancelled)
    assert (answer.status_code, answer.json["code"]) == (404, "session_not_found")
    answer = post(here, ended)
    assert (answer.status_code, answer.json["state"], answer.json["passed"]) == (200, "expired", False)
    assert answer.json["challenge_type"] is None


@pytest.fixture
def other_redis() -> Iterator[RedisServer]:
    """A Redis that a test may stop."""
    with running_server() as server:
        yield server


def test_redis_away(start_app: Callable[..., FlaskClient], other_redis: RedisServer, settings: Settings) -> None:
    client = start_app(redis_url=other_redis.url)
    session_id = new_session(client)
    other_redis.stop()
    answer = post(client, session_id)
    assert (answer.status_code, answer.json["code"]) == (503, "redis_unavailable")
    assert answer.headers["Retry-After"]
    assert state_of(client, session_id) == "pending"


def test_redis_going_away_while_an_answer_is_waited_for(
    start_app: Callable[..., FlaskClient], other_redis: RedisServer
) -> None:
    client = start_app(redis_url=other_redis.url, queue_url=other_redis.url)
    session_id = new_session(client)
    with ThreadPoolExecutor(1) as pool:
        frame = pool.submit(post, client, session_id)
        with make_redis(other_redis.url) as looking:
            until(lambda: looking.info("clients")["blocked_clients"])
        other_redis.stop()
        assert frame.result(PATIENCE).json["code"] == "redis_unavailable"


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "amqp://127.0.0.1:1/"])
def test_queue_away(start_app: Callable[..., FlaskClient], redis: Redis, url: str) -> None:
    client = start_app(queue_url=url)
    session_id = new_session(client)
    answer = post(client, session_id)
    assert (answer.status_code, answer.json["code"]) == (503, "queue_unavailable")
    assert nothing_under_way(redis)
    ready = client.get("/readyz")
    assert ready.status_code == 503
    assert {name for name, said in ready.json["checks"].items() if said != "ok"} == {"queue", "workers"}


def test_database_away(start_app: Callable[..., FlaskClient], redis: Redis) -> None:
    client = start_app(database_url="postgresql+psycopg://nobody@127.0.0.1:1/none")
    answer = post(client, UNKNOWN)
    assert (answer.status_code, answer.json["code"]) == (503, "database_unavailable")
    assert redis.keys() == []


def test_what_the_client_says_of_its_camera_reaches_the_judges_and_does_not_stay(
    client: FlaskClient, worker: Worker, redis: Redis, engine: Engine
) -> None:
    session_id = new_session(client)
    told = {"label": "", "settings": {"width": 640, "height": 480}, "captures": [[12.5, 3]]}
    form = {"image": (io.BytesIO(jpeg()), "frame.jpg"), "camera": json.dumps(told)}
    answer = client.post(f"{SESSIONS}/{session_id}/frame", data=form, content_type="multipart/form-data")
    assert answer.status_code == 200
    assert list(answer.json) == FIELDS
    assert post(client, session_id).status_code == 200
    with UnitOfWork(engine, read_only=True) as uow:
        first, second = [frame.observation.camera for frame, _ in uow.sessions.kept(session_id, 0.0, 9)]
    assert first == CameraReport(width=640, height=480, captures=((12.5, 3),))
    assert second is None
    assert nothing_under_way(redis)

    form = {"image": (io.BytesIO(jpeg()), "frame.jpg"), "camera": "OBS"}
    refused = client.post(f"{SESSIONS}/{session_id}/frame", data=form, content_type="multipart/form-data")
    assert (refused.status_code, refused.json["code"]) == (422, "camera_report")
