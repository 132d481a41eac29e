"""Whichever way a session ends, Redis keeps nothing of its face. The API's ways: tests/integration/api/test_endings.py."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from redis import Redis

from shared.db import Ending, UnitOfWork
from shared.db.trail import Tombstone
from shared.handoff import faces, frame_pictures, portraits
from shared.handoff.clean_up import Endings
from shared.liveness.challenge import Challenge, ChallengeType
from shared.liveness.held import LONGEST_WAIT, Held
from shared.liveness.identity import Identity, Sample
from shared.liveness.observation import Observation
from shared.liveness.options import Options
from shared.liveness.session import Session, State
from shared.redis import keyspace
from shared.redis.client import make_redis
from tests.endings import nothing_else
from tests.integration.workers.scripted_worker import ScriptedDescriber, descriptor_of
from tests.integration.workers.service import Service
from tests.unit.liveness.weights import WEIGHTS, alive, attack
from workers import tracking
from workers.clock import REMEMBER, Retention
from workers.frames import FrameWork
from workers.identity import IdentityWork, ReferenceWork
from workers.overdue_sessions import OverdueSessions
from workers.vision.descriptor import CHIP_SIDE, encode_chip, to_bytes
from workers.vision.pipeline import Seen
from workers.vision.prior import Prior

ONE, OTHER = 50, 140
PRIOR = Prior((0.1, 0.2, 0.3, 0.4), 1.0, 1.0, 1.0, 1)
CHIP = encode_chip(np.full((CHIP_SIDE, CHIP_SIDE, 3), OTHER, np.uint8))

Write = Callable[[Redis, Session], object]

#: Everything that is kept of a face, as its writers write it.
KINDS: dict[str, Write] = {
    "prior": lambda redis, session: tracking.keep(redis, session.id, time.time(), PRIOR),
    "anchor": lambda redis, session: faces.anchor(redis, session.id, to_bytes(descriptor_of(ONE)), 300),
    "reference": lambda redis, session: faces.keep_reference(redis, session.id, to_bytes(descriptor_of(ONE)), 300),
    "picture": lambda redis, session: faces.put_picture(redis, session.id, b"\xff\xd8 a person"),
    "chip": lambda redis, session: faces.put(redis, session.id, f"out {session.id}", CHIP),
    "candidate": lambda redis, session: portraits.offer(redis, session.id, f"out {session.id}", b"\xff\xd8 a person"),
    "portrait": lambda redis, session: portraits.keep(redis, session.id, 3.0, b"\xff\xd8 a person", 300),
}


@dataclass
class Blind:
    """Sees nobody."""

    def look(self, data: bytes, prior: Prior | None, at: float) -> Seen:
        return Seen(Observation(faces=0), PRIOR, np.zeros((1, 1, 3), np.uint8))


@dataclass
class Broken:
    """Redis, dead from the commit on."""

    endings: list[Ending] = field(default_factory=list)

    def __call__(self, endings: list[Ending]) -> None:
        """As if the process were killed here."""
        self.endings += endings


class Tools:
    """What a worker's process has."""

    weighing = WEIGHTS
    vision = face_vision = Blind()
    describer = ScriptedDescriber()

    def __init__(self, service: Service) -> None:
        self.redis, self.engine = service.redis, service.engine


def keep(service: Service, session: Session) -> Session:
    """Put a session into its rows as it is, and all kinds of things into Redis."""
    with UnitOfWork(service.engine) as uow:
        uow.sessions.add(session)
        uow.commit()
    for write in KINDS.values():
        write(service.redis, session)
    assert left(service, session) == set(KINDS)
    return session


def begun(service: Service, *, ago: float = 0.0, timeout: float = 30.0, held: Held | None = None) -> Session:
    """A session whose first clock began so many seconds ago, with one face compared and two under way."""
    at, session_id = time.time() - ago, str(uuid.uuid4())
    samples = [Sample(f"done {session_id}", at, 0, 0, 0.9), Sample(f"out {session_id}", at + 0.1, 0, 0)]
    return keep(
        service,
        Session(
            id=session_id,
            challenges=[Challenge(ChallengeType.BLINK, timeout, started_at=at)],
            created_at=at,
            expires_at=at + 300,
            options=Options(portrait=True),
            state=State.IN_PROGRESS,
            started_at=at,
            held=held,
            identity=None if held else Identity(0.55, samples=samples),
        ),
    )


def left(service: Service, session: Session) -> set[str]:
    """The kinds of keys that Redis has of a session, apart from its mark."""
    keys = {key.decode().split(":")[0] for key in service.redis.keys("*") if session.id.encode() in key}
    return keys - {"ended", "inflight"}


def stored(service: Service, session: Session) -> Session:
    found = service.session(session.id)
    assert found is not None
    return found


def overdue(service: Service, on_end: Callable[[list[Ending]], object] | None = None) -> OverdueSessions:
    return OverdueSessions(service.engine, on_end or Endings(service.redis), WEIGHTS)


def clock(service: Service) -> Retention:
    return Retention(service.engine, Endings(service.redis), retention=3600)


def by_a_frame(service: Service) -> Session:
    session = begun(service, ago=6, timeout=5)
    frame_pictures.put(service.redis, "late", b"a picture", 15)
    FrameWork(Tools(service), service.broker)(session.id, "late", time.time())
    assert stored(service, session).state is State.FAILED
    return session


def by_a_swap(service: Service) -> Session:
    session = begun(service)
    IdentityWork(Tools(service))(session.id, f"out {session.id}", session.expires_at)
    assert stored(service, session).reason == "identity_swap"
    return session


def by_the_clock(service: Service) -> Session:
    session = begun(service, ago=20, timeout=5)
    overdue(service).end(time.time())
    assert stored(service, session).state is State.FAILED
    return session


def by_expiry(service: Service) -> Session:
    session = begun(service, ago=299.5, timeout=400)
    overdue(service).end(time.time() + 1)
    assert stored(service, session).state is State.EXPIRED
    return session


def by_the_clock_as_no_living_person(service: Service) -> Session:
    return concluded(service, live=False)


def by_the_purge(service: Service) -> Session:
    session = begun(service)
    end_and_die(service, session, live=True)
    clock(service).purge(time.time() + 3601)
    assert service.session(session.id) is None
    return session


def after_a_kill(service: Service) -> Session:
    """Ended, and the process killed before it could clear anything."""
    session = begun(service)
    end_and_die(service, session, live=False)
    assert left(service, session) == set(KINDS)
    clock(service).forget_frames(time.time() + REMEMBER)
    return session


def after_a_kill_in_a_deletion(service: Service) -> Session:
    session = begun(service)
    killed = Broken()
    with UnitOfWork(service.engine, on_end=killed) as uow:
        uow.sessions.delete(session.id)
        uow.trail.bury(Tombstone(session.id, session.created_at, None, time.time(), "anyone"))
        uow.commit()
    assert [ending.session_id for ending in killed.endings] == [session.id]
    assert left(service, session) == set(KINDS)
    sessions = clock(service)
    sessions.clear_deleted(time.time())
    # The face under way is known to nobody any more: it goes after CHIP_TTL.
    service.redis.delete(keyspace.chip(f"out {session.id}"), keyspace.candidate(f"out {session.id}"))
    return session


def concluded(service: Service, *, live: bool) -> Session:
    """A session that the clock concludes, with the gesture that it holds."""
    found = (alive if live else attack)(WEIGHTS, [ChallengeType.BLINK])
    session = begun(service, ago=LONGEST_WAIT + 2, held=Held(time.time() - LONGEST_WAIT - 1.5, 0.9, tuple(found)))
    service.redis.delete(keyspace.chip(f"out {session.id}"), keyspace.candidate(f"out {session.id}"))
    overdue(service).end(time.time())
    assert stored(service, session).is_live is live
    return session


def end_and_die(service: Service, session: Session, *, live: bool) -> None:
    with UnitOfWork(service.engine, on_end=nothing_else) as uow:
        locked = uow.sessions.get(session.id, lock=True)
        assert locked is not None
        uow.sessions.save(replace(locked, state=State.COMPLETED, ended_at=time.time(), is_live=live))
        uow.commit()


WAYS = [
    by_a_frame,
    by_a_swap,
    by_the_clock,
    by_expiry,
    by_the_clock_as_no_living_person,
    by_the_purge,
    after_a_kill,
    after_a_kill_in_a_deletion,
]


@pytest.mark.parametrize("way", WAYS)
def test_nothing_of_the_face_is_left_and_nothing_comes_later(
    service: Service, way: Callable[[Service], Session]
) -> None:
    session = way(service)
    assert left(service, session) == set()
    for kind, write in KINDS.items():
        write(service.redis, session)
        assert left(service, session) == set(), kind


def test_of_a_live_person_the_portrait_is_left_for_minutes_and_none_comes_later(service: Service) -> None:
    session = concluded(service, live=True)
    assert left(service, session) == {"portrait"}
    assert 290 < service.redis.ttl(keyspace.portrait(session.id)) <= keyspace.PORTRAIT_TTL
    assert portraits.drop(service.redis, session.id)
    for write in KINDS.values():
        write(service.redis, session)
    assert left(service, session) == set()


def test_a_portrait_s_minutes_count_from_the_end_however_often_it_is_cleared(service: Service) -> None:
    session = begun(service)
    end_and_die(service, session, live=True)
    clock(service).forget_frames(time.time() + REMEMBER)
    service.redis.pexpire(keyspace.portrait(session.id), 400_000)
    later = replace(stored(service, session), ended_at=time.time() - 100)
    Endings(service.redis)([Ending.of(later)])
    assert service.redis.ttl(keyspace.portrait(session.id)) == pytest.approx(200, abs=2)


def test_a_portrait_that_was_fetched_is_not_kept_longer_by_a_second_clearing(service: Service) -> None:
    session = concluded(service, live=True)
    assert portraits.hand_out(service.redis, session.id) is not None
    Endings(service.redis)([Ending.of(stored(service, session))])
    assert 0 < service.redis.ttl(keyspace.portrait(session.id)) <= keyspace.FETCHED_TTL


def test_the_mark_outlives_whatever_the_session_may_keep(service: Service) -> None:
    session = by_a_frame(service)
    lives_for = service.redis.pttl(keyspace.ended(session.id)) / 1000
    assert lives_for == pytest.approx(session.expires_at - time.time() + keyspace.ENDED_MARGIN, abs=1)


def test_every_key_of_a_session_is_cleared_or_tells_nothing_of_a_face() -> None:
    """A new key has to be put on one side."""
    plain = {"inflight", "ended", "sequence", "effort"}
    of_sessions = {
        name
        for name, function in vars(keyspace).items()
        if callable(function) and list(getattr(function, "__annotations__", {})) == ["session_id", "return"]
    } - {"of_face"}
    cleared = {key.split(":")[0] for key in keyspace.of_face("s")} | {"portrait"}
    assert of_sessions == cleared | plain


def test_a_picture_is_not_described_once_its_session_has_ended(service: Service) -> None:
    session = begun(service)
    end_and_die(service, session, live=False)
    ReferenceWork(Tools(service))(session.id, session.expires_at)
    assert left(service, session) == set(KINDS) - {"picture"}, "as it was, the picture apart"


def test_the_worker_that_ends_a_session_forgets_its_measures(service: Service) -> None:
    session = begun(service, ago=6, timeout=5)
    work = FrameWork(Tools(service), service.broker)
    for frame_id, at in (("in time", time.time() - 5), ("late", time.time())):
        frame_pictures.put(service.redis, frame_id, b"a picture", 15)
        work(session.id, frame_id, at)
        assert (work._memory.of(session.id) is None) is (frame_id == "late")


def test_without_redis_a_session_ends_all_the_same(service: Service) -> None:
    session = begun(service, ago=20, timeout=5)
    overdue(service, Endings(make_redis("redis://127.0.0.1:1/0"))).end(time.time())
    assert stored(service, session).state is State.FAILED


def test_a_unit_that_says_nothing_of_an_end_cannot_end(service: Service) -> None:
    session = begun(service)
    with UnitOfWork(service.engine) as uow:
        locked = uow.sessions.get(session.id, lock=True)
        assert locked is not None
        with pytest.raises(RuntimeError, match="on_end"):
            uow.sessions.save(replace(locked, state=State.FAILED, ended_at=time.time()))
        with pytest.raises(RuntimeError, match="on_end"):
            uow.sessions.delete(session.id)


def test_what_was_rolled_back_has_not_ended(service: Service) -> None:
    session = begun(service)
    with UnitOfWork(service.engine, on_end=Endings(service.redis)) as uow:
        uow.sessions.delete(session.id)
    assert left(service, session) == set(KINDS)
    assert not service.redis.exists(keyspace.ended(session.id))
