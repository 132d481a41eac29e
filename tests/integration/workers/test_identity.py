"""One person all the way, through real worker processes on both queues; what is seen, and whose face it is, is scripted."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import redis
from dramatiq import Message
from sqlalchemy import select

from shared.db import UnitOfWork
from shared.db.tables import outbox
from shared.handoff import faces, portraits
from shared.liveness.challenge import ChallengeType
from shared.liveness.evidence import Code
from shared.liveness.identity import Identity, Reference, Sample
from shared.liveness.observation import Observation
from shared.liveness.options import Options
from shared.liveness.session import State
from shared.queue.messages import IDENTITY, enqueue_comparison
from shared.redis import keyspace
from tests.integration.redis_server import RedisServer
from tests.integration.workers.scripted_worker import Script, ScriptedDescriber, ScriptedSeen, descriptor_of
from tests.integration.workers.service import Service
from tests.integration.workers.showing import ONE, OTHER, anchored, compared, show, stored
from tests.waiting import until
from workers.identity import IdentityWork
from workers.vision.descriptor import to_bytes

TURN_LEFT, BLINK = ChallengeType.TURN_LEFT, ChallengeType.BLINK


@pytest.fixture(scope="module")
def running(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service with two workers of frames and one that compares faces."""
    with redis.Redis.from_url(redis_server.url) as client:
        client.flushall()
    service = Service(redis_server.url, tmp_path_factory.mktemp("identity"))
    try:
        service.start_workers(2)
        service.start_workers(1, queue=IDENTITY)
        yield service
    finally:
        service.close()


def test_one_person_all_the_way_is_live(running):
    session_id = running.open(TURN_LEFT, BLINK, identify=True)
    show(running, session_id)
    until(lambda: compared(running, session_id) == 1)
    assert 0 < running.redis.ttl(keyspace.anchor(session_id)) <= 300
    assert show(running, session_id, passes=True).passed
    show(running, session_id)
    until(lambda: compared(running, session_id) == 2)
    while not (last := show(running, session_id, passes=True)).session_complete:
        assert last.hint.code == "hold_still"  # on a busy machine another comparison has become due
    assert (last.passed, last.state, last.is_live) == (True, State.COMPLETED, True)
    session = stored(running, session_id)
    assert [(f.challenge, f.score) for f in session.findings if f.code is Code.SWAPPED] == [(0, 0.0), (1, 0.0)]
    until(lambda: not anchored(running))


def test_another_person_twice_in_a_row_ends_the_session_at_once(running):
    session_id = running.open(TURN_LEFT, BLINK, identify=True)
    show(running, session_id)
    assert show(running, session_id, passes=True).passed
    show(running, session_id, OTHER)
    until(lambda: compared(running, session_id) == 2)
    assert stored(running, session_id).state is State.IN_PROGRESS, "one may be a bad picture"
    until(lambda: show(running, session_id, OTHER).state is State.FAILED)
    session = stored(running, session_id)
    assert compared(running, session_id) == 3
    assert (session.reason, session.is_live) == ("identity_swap", None)
    assert [f.score for f in session.findings if f.challenge == 1] == [pytest.approx(0.9, abs=0.03)]
    after = show(running, session_id, OTHER, passes=True)
    assert (after.state, after.passed, after.is_live, after.challenge_type) == (State.FAILED, False, None, None)
    with running.engine.connect() as connection:
        told = connection.scalars(
            select(outbox.c.type).where(outbox.c.session_id == session_id).order_by(outbox.c.id)
        ).all()
    assert told == ["session.created", "session.started", "session.challenge_passed", "session.failed"]
    until(lambda: not anchored(running))


def test_a_message_that_comes_twice_changes_nothing(running):
    session_id = running.open(TURN_LEFT, identify=True)
    show(running, session_id)
    until(lambda: compared(running, session_id) == 1)
    identity = stored(running, session_id).identity
    assert identity is not None
    (sample,) = identity.samples
    # As if its worker had been killed before it could say that it was done; the second time even with another face.
    faces.put(running.redis, session_id, sample.frame_id, Script(who=OTHER).encode())
    enqueue_comparison(running.broker, session_id, sample.frame_id, time.time() + 300)
    until(lambda: not running.redis.exists(keyspace.chip(sample.frame_id)))
    assert stored(running, session_id).identity == identity
    # And once more, with nothing left of it.
    enqueue_comparison(running.broker, session_id, sample.frame_id, time.time() + 300)
    time.sleep(0.3)
    assert stored(running, session_id).state is State.IN_PROGRESS


def test_no_descriptor_is_in_rows_or_logs(running, tmp_path):
    session_id = running.open(TURN_LEFT, BLINK, identify=True)
    show(running, session_id)
    until(lambda: compared(running, session_id) == 1)
    needle = to_bytes(descriptor_of(ONE))
    assert running.redis.get(keyspace.anchor(session_id)) == needle
    everything = b"".join(file.read_bytes() for file in running.directory.iterdir())
    assert session_id.encode() in everything
    for secret in (needle, needle[-32:], b"0.4321", b"0.432"):
        assert secret not in everything


def test_a_face_that_cannot_be_read_is_logged_without_it_and_the_worker_goes_on(running):
    session_id = running.open(TURN_LEFT, identify=True)
    faces.put(running.redis, session_id, "not a face", b"secret pixels")
    enqueue_comparison(running.broker, session_id, "not a face", time.time() + 300)
    until(lambda: "face.not_compared" in running.logs)
    assert "secret pixels" not in running.logs
    show(running, session_id)
    until(lambda: compared(running, session_id) == 1)


def test_every_key_has_a_time_to_live(running):
    session_id = running.open(TURN_LEFT, identify=True)
    show(running, session_id)
    until(lambda: compared(running, session_id) == 1)
    ours = [key for key in running.redis.keys("*") if not key.startswith(b"dramatiq:")]
    assert keyspace.anchor(session_id).encode() in ours
    assert all(running.redis.ttl(key) > 0 for key in ours)


def of_reference(running: Service, session_id: str) -> Reference:
    identity = stored(running, session_id).identity
    assert identity is not None
    assert identity.reference is not None
    return identity.reference


@pytest.mark.parametrize(("who", "match", "similarity"), [(ONE + 30, True, 0.75), (OTHER, False, 0.25)])
def test_a_reference_is_compared_whichever_comes_first(running, who, match, similarity):
    """Before any frame, and when the first face is known already."""
    session_id = running.open(TURN_LEFT, reference=Script(who=who))
    until(lambda: not running.redis.exists(keyspace.picture(session_id)))
    assert of_reference(running, session_id).match is None
    show(running, session_id)
    until(lambda: of_reference(running, session_id).match is match)
    assert of_reference(running, session_id).similarity == pytest.approx(similarity, abs=0.03)
    assert 0 < running.redis.ttl(keyspace.reference(session_id)) <= 300

    later = running.open(TURN_LEFT, reference=Script(takes=0.6, who=who))
    show(running, later)
    until(lambda: of_reference(running, later).match is match)
    # Not the verdict's business.
    assert stored(running, later).state is State.IN_PROGRESS


def test_a_reference_that_cannot_be_read_says_why(running):
    session_id = running.open(TURN_LEFT, reference=Script(fails="not_an_image"))
    until(lambda: of_reference(running, session_id).problem == "not_an_image")
    assert of_reference(running, session_id).match is None
    show(running, session_id)
    until(lambda: compared(running, session_id) == 1)


def test_a_portrait_of_a_live_person_stays_for_minutes_and_is_given_once(running):
    session_id = running.open(BLINK, identify=True, options=Options(portrait=True))
    show(running, session_id)
    until(lambda: compared(running, session_id) == 1)
    assert running.redis.ttl(keyspace.portrait(session_id)) > 0
    while not show(running, session_id, passes=True).session_complete:
        pass
    until(lambda: 0 < running.redis.ttl(keyspace.portrait(session_id)) <= keyspace.PORTRAIT_TTL)
    picture = portraits.hand_out(running.redis, session_id)
    assert picture is not None
    assert picture.startswith(b"\xff\xd8")
    assert portraits.hand_out(running.redis, session_id) == picture
    assert 0 < running.redis.ttl(keyspace.portrait(session_id)) <= keyspace.FETCHED_TTL


def shade_of(picture: bytes | None) -> float:
    """Who is in a portrait."""
    assert picture is not None
    return float(cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR).mean())


def test_a_portrait_never_shows_a_face_that_was_not_compared(running):
    """One frame of somebody else, looking straight ahead, beside a live person who looks aside."""
    session_id = running.open(BLINK, identify=True, options=Options(portrait=True))
    show(running, session_id, yaw=14)
    show(running, session_id, OTHER, after=0.0)
    for _ in range(3):
        show(running, session_id, yaw=14)
    until(lambda: compared(running, session_id) >= 1)
    while not (last := show(running, session_id, passes=True, yaw=14)).session_complete:
        pass
    assert last.is_live
    assert shade_of(portraits.look(running.redis, session_id)) == pytest.approx(ONE, abs=2)
    until(lambda: not running.redis.keys("candidate:*"))


def test_a_portrait_is_of_the_session_s_person_although_somebody_else_s_face_was_compared(running):
    session_id = running.open(BLINK, identify=True, options=Options(portrait=True))
    show(running, session_id, yaw=14)
    until(lambda: compared(running, session_id) == 1)
    time.sleep(0.2)
    show(running, session_id, OTHER)
    until(lambda: compared(running, session_id) == 2)
    assert shade_of(portraits.look(running.redis, session_id)) == pytest.approx(ONE, abs=2)
    until(lambda: not running.redis.keys("candidate:*"))


def test_a_clearly_better_portrait_is_compared_although_no_comparison_is_due(running):
    session_id = running.open(BLINK, identify=True, options=Options(portrait=True))
    show(running, session_id, yaw=14)
    until(lambda: portraits.best(running.redis, session_id) is not None)
    first = portraits.best(running.redis, session_id)
    time.sleep(0.2)
    show(running, session_id, yaw=2)
    until(lambda: portraits.best(running.redis, session_id) < first / 2)
    until(lambda: compared(running, session_id) == 2)  # committed after the portrait was put into Redis


def test_nobody_has_a_portrait_who_did_not_ask_or_was_not_live(running):
    unasked = running.open(BLINK, identify=True)
    show(running, unasked)
    until(lambda: compared(running, unasked) == 1)
    assert not running.redis.exists(keyspace.portrait(unasked))
    failed = running.open(BLINK, identify=True, timeout=1, options=Options(portrait=True))
    show(running, failed)
    until(lambda: running.redis.exists(keyspace.portrait(failed)))
    time.sleep(1.2)
    until(lambda: show(running, failed).state is State.FAILED)
    until(lambda: not running.redis.exists(keyspace.portrait(failed)))


def test_the_better_portrait_stays(running):
    portraits.keep(running.redis, "s", 5.0, b"first", 60)
    portraits.keep(running.redis, "s", 7.0, b"worse", 60)
    assert portraits.best(running.redis, "s") == 5.0
    portraits.keep(running.redis, "s", 3.0, b"better", 9999)
    assert 0 < running.redis.ttl(keyspace.portrait("s")) <= 60
    assert portraits.look(running.redis, "s") == b"better"
    assert portraits.drop(running.redis, "s")
    assert not portraits.drop(running.redis, "s")
    assert portraits.best(running.redis, "s") is None


def test_a_portrait_of_an_earlier_worker_is_neither_handed_out_nor_in_the_way(running):
    """Those were kept without a comparison."""
    running.redis.hset(keyspace.portrait("earlier"), mapping={"score": "0.1", "jpeg": b"anybody"})
    assert portraits.best(running.redis, "earlier") is None
    assert portraits.look(running.redis, "earlier") is None
    assert portraits.hand_out(running.redis, "earlier") is None
    portraits.keep(running.redis, "earlier", 5.0, b"compared", 60)
    assert portraits.hand_out(running.redis, "earlier") == b"compared"


@pytest.mark.parametrize(("people", "shade"), [(2, ONE), (0, ONE), (1, OTHER)])
def test_the_picture_itself_is_described_last(running, people, shade):
    """Whatever was followed from frame to frame: in the portrait is one face, and it is the session's."""
    picture = np.full((150, 150, 3), shade, np.uint8)
    tools = SimpleNamespace(
        redis=running.redis,
        describer=ScriptedDescriber(),
        face_vision=SimpleNamespace(look=lambda *_: ScriptedSeen(Observation(people), None, picture)),
    )
    session_id, identity = str(uuid.uuid4()), Identity(0.5, samples=[Sample("f", 0.0, 0, 0, portrait=1.0)])
    portraits.offer(running.redis, session_id, "f", b"\xff\xd8")
    own = descriptor_of(ONE)
    IdentityWork(tools)._consider_portrait(identity, session_id, "f", (own, own), time.time() + 60)
    assert portraits.look(running.redis, session_id) is None
    assert not running.redis.exists(keyspace.candidate("f"))


def test_a_comparison_goes_before_references_that_wait(running):
    """And a reference that takes long delays it by one such time at most."""
    waiting = [running.open(TURN_LEFT, reference=Script(takes=0.4, who=OTHER)) for _ in range(8)]
    session_id = running.open(TURN_LEFT, identify=True)
    began = time.monotonic()
    show(running, session_id)
    until(lambda: compared(running, session_id) == 1)
    assert time.monotonic() - began < 2.0
    left = sum(running.redis.exists(keyspace.picture(each)) for each in waiting)
    assert left > 2, "the references had not all been described by then"
    until(lambda: not any(running.redis.exists(keyspace.picture(each)) for each in waiting))
    until(lambda: not running.redis.zcard(keyspace.REFERENCES))


def test_a_reference_that_could_not_be_described_says_so(running):
    session_id = running.open(TURN_LEFT, reference=Script(fails="fault"))
    until(lambda: of_reference(running, session_id).problem == "not_compared")
    assert of_reference(running, session_id).match is None


def test_a_message_on_the_queue_of_earlier_web_processes_is_worked_on(running):
    session_id = running.open(TURN_LEFT, reference=None, identify=True)
    with UnitOfWork(running.engine) as uow:
        session = uow.sessions.get(session_id, lock=True)
        session.identity.reference = Reference()
        uow.sessions.save(session)
        uow.commit()
    faces.put_picture(running.redis, session_id, Script(fails="not_an_image").encode())
    running.broker.enqueue(
        Message(
            queue_name=IDENTITY,
            actor_name="describe_reference",
            args=(),
            kwargs={"session_id": session_id, "expires_at": time.time() + 60},
            options={},
        )
    )
    until(lambda: of_reference(running, session_id).problem == "not_an_image")
