"""All ways in which a session ends give the same verdict: a frame, the clock, a GET, a second delivery, another process.

Films are made at random: people and photos, frame rates, gaps, comparisons of faces that come or do not, and a client that
falls silent at any moment after a gesture was met.
"""

from __future__ import annotations

import copy
import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, update

from shared.db import UnitOfWork, codec, make_engine
from shared.db.tables import sessions
from shared.liveness.challenge import ChallengeType
from shared.liveness.evidence import FITTED, Code, Finding, Preset, Weighing
from shared.liveness.frame import Frame
from shared.liveness.session import Session, State
from tests.endings import nothing_else
from tests.integration import schema
from tests.unit.liveness.people import ALIVE, FAR, PHOTO, T0, Move, Person, film, observe, submit, without_face
from tests.unit.liveness.weights import WEIGHTS
from workers.frames import FrameWork
from workers.overdue_sessions import OverdueSessions

MANY = settings(max_examples=60, deadline=None)
FEW = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
#: Seconds from one gesture to the next.
APART = 4.0


@dataclass(frozen=True)
class Story:
    """What happens before a camera, and how much of it arrives."""

    types: list[ChallengeType]
    fps: float
    seed: int
    alive: bool
    #: Every so-and-so-manieth frame is black; None: none is.
    gap: int | None
    preset: Preset
    #: Whether faces are compared, and whether the comparisons come in.
    identify: bool
    answered: bool

    @property
    def frames(self) -> list[Frame]:
        acts = [Move(2.0 + APART * i, FAR[kind], hold=1.2) for i, kind in enumerate(self.types)]
        seconds = 2.0 + APART * len(self.types) + 2.0
        changes = ALIVE if self.alive else PHOTO
        shown = film(Person(), *acts, seconds=seconds, fps=self.fps, seed=self.seed, changes=changes)
        return [
            replace(f, observation=without_face()) if self.gap and number % self.gap == 0 else f
            for number, f in enumerate(shown, 1)
        ]

    def session(self) -> Session:
        return Session.open(
            str(uuid.uuid4()),
            self.types,
            timeout_seconds=60.0,
            at=T0 - 1,
            ttl=900,
            preset=self.preset,
            identify=self.identify,
        )

    def compare(self, session: Session, frame: Frame) -> None:
        """The comparison that the frame has asked for comes in before the next one."""
        if self.answered and session.awaits_distance(frame.id):
            session.take_distance(frame.id, 0.3 if session.findings else 0.0, frame.at)


@st.composite
def stories(draw: st.DrawFn) -> Story:
    types = [t for t in ChallengeType if t is not ChallengeType.BLINK]
    return Story(
        types=draw(st.lists(st.sampled_from(types), min_size=1, max_size=2, unique=True)),
        fps=draw(st.floats(2, 15)),
        seed=draw(st.integers(0, 999)),
        alive=draw(st.booleans()),
        gap=draw(st.none() | st.integers(2, 6)),
        preset=draw(st.sampled_from(Preset)),
        identify=draw(st.booleans()),
        answered=draw(st.booleans()),
    )


def twin(session: Session) -> Session:
    """A copy that goes its own way."""
    own = {name: copy.deepcopy(getattr(session, name)) for name in ("challenges", "findings", "identity")}
    return replace(session, frames=list(session.frames), events=list(session.events), **own)


def held_moments(story: Story) -> Iterator[Session]:
    """The session after each frame that leaves a gesture held."""
    session = story.session()
    for frame in story.frames:
        submit(session, frame)
        story.compare(session, frame)
        if session.held is not None and not session.ended:
            yield twin(session)


def through_rows(session: Session) -> Session:
    """What another process reads of it: no frames, and everything else as JSON."""

    def read(value: Any) -> Any:
        return json.loads(json.dumps(codec.plain(value)))

    identity = read(session.identity)
    return replace(
        session,
        frames=[],
        events=[],
        challenges=copy.deepcopy(session.challenges),
        findings=codec.findings_of(read(session.findings)),
        identity=codec.identity_of(identity),
        held=codec.held_of(read(session.held), identity),
    )


def wait(session: Session, later: float = 0.0, weighing: Weighing = WEIGHTS) -> Session:
    """Time passes until nothing is left to happen; looked at so many seconds after it was due."""
    while (due := session.due) is not None:
        session.tick(due + later, weighing)
    return session


def outcome(session: Session) -> tuple[Any, ...]:
    return session.state, session.is_live, session.reason, session.score, session.findings


class TestFromAnyMoment:
    @MANY
    @given(stories(), st.floats(0, 200), st.floats(0.001, 60), st.sampled_from(["a face", "nobody", "a photo"]))
    def test_who_concludes_makes_no_difference(self, story: Story, later: float, after: float, last: str) -> None:
        seen = {"a face": observe(), "nobody": without_face(), "a photo": observe(**PHOTO)}[last]
        moments = list(held_moments(story))
        event(f"moments: {min(len(moments), 20)}")
        for session in moments[:: 1 + len(moments) // 6]:
            assert session.held is not None
            by_the_clock = wait(twin(session))
            late = Frame("late", session.held.until + after, replace(seen, digest="late"))
            by_a_frame = twin(session)
            submit(by_a_frame, late)
            ways = {
                "a GET, some time later": wait(twin(session), later),
                "a frame after the patience": wait(by_a_frame),
                "another process": wait(through_rows(session)),
                "another process that is asked later": wait(through_rows(session), later),
            }
            assert by_the_clock.ended
            for name, way in ways.items():
                assert outcome(way) == outcome(by_the_clock), name

    @MANY
    @given(stories())
    def test_nothing_is_concluded_that_was_not_examined(self, story: Story) -> None:
        """Each challenge that passes has told how much of it was seen, whichever way it passes."""
        for session in list(held_moments(story))[::3]:
            ended = wait(twin(session))
            passed = [at for at, challenge in enumerate(ended.challenges) if challenge.passed_at is not None]
            assert [f.challenge for f in ended.findings if f.code is Code.UNSEEN] == passed
            assert (ended.score is None) is (ended.is_live is None) is (ended.state is not State.COMPLETED)

    @MANY
    @given(stories())
    def test_silence_right_after_the_gesture_is_never_live(self, story: Story) -> None:
        """Whoever shows nothing more has shown too little, or a face that nobody can compare: then it is not made at all."""
        session = story.session()
        for frame in story.frames:
            submit(session, frame)
            story.compare(session, frame)
            if session.held is not None and session.held.at == frame.at and session.remaining == 1:
                break
        assume(session.held is not None and session.remaining == 1)
        for weighing in (WEIGHTS, FITTED):
            silent = twin(session)
            stranger = silent.identity is not None and silent.identity.met_by_a_stranger(
                silent.held.until, len(silent.challenges)
            )
            wait(silent, weighing=weighing)
            shown_too_little = (State.COMPLETED, False, Code.UNSEEN)
            not_made = (State.FAILED, None, "timed_out")
            assert (silent.state, silent.is_live, silent.reason) == (not_made if stranger else shown_too_little)

    @MANY
    @given(stories())
    def test_a_photo_is_never_live(self, story: Story) -> None:
        """Wherever its client stops, and however it leaves frames out."""
        for session in list(held_moments(replace(story, alive=False)))[::2]:
            assert wait(twin(session)).is_live is not True

    @pytest.mark.parametrize("fps", [4.0, 8.0, 15.0])
    def test_a_person_is_live_however_the_session_ends_once_enough_was_seen(self, fps: float) -> None:
        """It is only known later who it was: what the frames showed is there when the comparisons come in."""
        story = Story([ChallengeType.SMILE], fps, 3, True, None, Preset.STRICT, identify=True, answered=False)
        enough = next(s for s in held_moments(story) if Finding(Code.UNSEEN, 0.0, 0) in s.held.findings)
        unknown = wait(twin(enough))
        assert (unknown.is_live, unknown.reason) == (None, "not_compared")
        for sample in enough.identity.samples:
            enough.take_distance(sample.frame_id, 0.2, enough.frames[-1].at)
        by_a_frame = twin(enough)
        submit(by_a_frame, Frame("late", enough.held.until + 1, without_face()))
        for way in (wait(twin(enough)), wait(twin(enough), 60), wait(through_rows(enough)), by_a_frame):
            assert (way.state, way.is_live, way.reason) == (State.COMPLETED, True, None)


# --- in rows, as the workers judge --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = make_engine(f"sqlite:///{tmp_path_factory.mktemp('rows')}/rows.db")
    schema.create(engine)
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def work(engine: Engine) -> FrameWork:
    """The workers' judging, without their queue."""
    return FrameWork(
        SimpleNamespace(engine=engine, redis=SimpleNamespace(pipeline=MagicMock()), vision=None, weighing=WEIGHTS),
        SimpleNamespace(),
    )


@pytest.fixture(scope="module")
def clock(engine: Engine) -> OverdueSessions:
    return OverdueSessions(engine, nothing_else, WEIGHTS)


def stored(engine: Engine, session_id: str) -> Session:
    with UnitOfWork(engine, read_only=True) as uow:
        session = uow.sessions.get(session_id)
    assert session is not None
    return session


def own(frame: Frame, session: Session) -> Frame:
    """Ids of frames are the whole service's."""
    return replace(frame, id=f"{session.id}:{frame.id}")


def judge_in_rows(story: Story, work: FrameWork, engine: Engine, silent_after: int) -> tuple[Session, Frame, Any]:
    """Frames by the workers' own way, up to so many after a gesture was held: the session, the last frame, its answer."""
    session = story.session()
    with UnitOfWork(engine) as uow:
        uow.sessions.add(session)
        uow.commit()
    left = silent_after
    for frame in (own(f, session) for f in story.frames):
        judged = work._judge(session.id, frame)
        if story.answered and judged.compare:
            with UnitOfWork(engine, on_end=nothing_else) as uow:
                locked = uow.sessions.get(session.id, lock=True)
                locked.take_distance(frame.id, 0.2, frame.at)
                uow.sessions.save(locked)
                uow.commit()
        if judged.session is not None and judged.session.held is not None:
            left -= 1
        if left < 0 or (judged.session is not None and judged.session.ended):
            break
    return stored(engine, session.id), frame, judged.answer


class TestInRows:
    @FEW
    @given(stories(), st.integers(0, 12))
    def test_a_second_delivery_changes_nothing_and_the_clock_says_what_a_get_says(
        self, work: FrameWork, clock: OverdueSessions, engine: Engine, story: Story, silent_after: int
    ) -> None:
        session, last, answer = judge_in_rows(story, work, engine, silent_after)
        assert work._judge(session.id, last).answer == answer
        assert stored(engine, session.id) == session
        by_a_get = wait(twin(session))
        with UnitOfWork(engine, read_only=True) as uow:
            by_a_frame = uow.sessions.get(session.id)
            uow.sessions.load_frames(by_a_frame, last.at + 4)
        if by_a_frame.held is not None:
            by_a_frame.submit("late", without_face(), by_a_frame.held.until + 0.1, weighing=WEIGHTS)
        while (due := stored(engine, session.id).due) is not None:
            clock._end(session.id, due)
        ended = stored(engine, session.id)
        assert outcome(ended) == outcome(by_a_get) == outcome(wait(by_a_frame))
        assert ended.held is None
        assert work._judge(session.id, last).answer == answer, "nor does one after the end"
        assert outcome(stored(engine, session.id)) == outcome(ended)

    @FEW
    @given(stories(), st.integers(0, 12))
    def test_what_is_judged_in_rows_is_what_is_judged_in_memory(
        self, work: FrameWork, engine: Engine, story: Story, silent_after: int
    ) -> None:
        """What is held and found goes through the rows from worker to worker and loses nothing."""
        story = replace(story, identify=False)
        session, last, _ = judge_in_rows(story, work, engine, silent_after)
        alone = replace(story.session(), id=session.id)
        for frame in (own(f, session) for f in story.frames if f.at <= last.at):
            submit(alone, frame)
        assert (session.held, outcome(session)) == (alone.held, outcome(alone))
        assert outcome(wait(session)) == outcome(wait(alone))

    def test_a_living_person_goes_through_rows_and_is_live(self, work: FrameWork, engine: Engine) -> None:
        story = Story([ChallengeType.SMILE], 8.0, 1, True, None, Preset.STRICT, identify=True, answered=True)
        session, _, answer = judge_in_rows(story, work, engine, 99)
        assert (session.state, session.is_live, session.reason) == (State.COMPLETED, True, None)
        assert answer.result is not None
        assert (answer.result.passed, answer.result.is_live) == (True, True)


class TestWhatAnEarlierWorkerHeld:
    """It kept a gesture that was met with the identity, and none of what the judges had found."""

    @pytest.fixture
    def session_id(self, work: FrameWork, engine: Engine) -> str:
        story = Story([ChallengeType.SMILE], 8.0, 1, True, None, Preset.LENIENT, identify=True, answered=False)
        session, _, _ = judge_in_rows(story, work, engine, 12)
        assert session.held is not None
        assert not [f for f in session.held.findings if f.code is Code.UNSEEN and f.score > 0]
        identity = codec.plain(session.identity) | {"held": codec.plain(session.held) | {"findings": []}}
        del identity["held"]["findings"]
        with engine.begin() as connection:
            connection.execute(update(sessions).where(sessions.c.id == session.id).values(identity=identity, held=None))
        return session.id

    def test_ends_not_live_without_another_frame(self, session_id: str, engine: Engine, clock: OverdueSessions) -> None:
        session = stored(engine, session_id)
        assert session.held is not None
        assert session.held.findings == (Finding(Code.UNSEEN, 1.0),)
        due = session.due
        assert due is not None
        clock._end(session_id, due)
        ended = stored(engine, session_id)
        assert (ended.state, ended.is_live, ended.reason) == (State.COMPLETED, False, Code.UNSEEN)

    def test_is_examined_anew_with_the_next_frame(self, session_id: str, engine: Engine, work: FrameWork) -> None:
        """Then it is held as this version holds it."""
        before = stored(engine, session_id)
        assert before.held is not None
        frame = Frame(f"{session_id}:next", before.held.at + 2.0, observe(digest="next"))
        work._judge(session_id, frame)
        with engine.connect() as connection:
            kept = connection.execute(sessions.select().where(sessions.c.id == session_id)).one()
        assert "held" not in kept.identity
        assert (kept.held["at"], kept.held["confidence"]) == (before.held.at, before.held.confidence)
        held = stored(engine, session_id).held
        assert held is not None
        assert {Code.STIFF, Code.FLAT, Code.UNSEEN} <= {f.code for f in held.findings}
        assert Finding(Code.UNSEEN, 0.0, 0) in held.findings
