"""Checks that a session's state and verdict follow from its frames: the pure domain judges the rows again.

Rows are replayed in the order of writing, which is the order of judging. The rows do not say three things: whether an
earlier frame was still under way when a frame was judged (`none_earlier`), when a comparison of faces came in, and which
process ended an overdue session. So the check searches for one history that gives every recorded answer and the final
state; if there is none, the service is wrong.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Engine, text

from shared.db import UnitOfWork, codec
from shared.liveness.challenge import ChallengeType
from shared.liveness.evidence import FITTED, SWAP_LIMITS, Weighing
from shared.liveness.frame import Frame
from shared.liveness.session import FrameResult, Session

#: How many opening and recent frames the service loads, see shared/db/sessions.py.
_OPENING_FRAMES, _RECENT_FRAMES = 100, 300
#: The most frames that the search for a history judges: some minutes at most.
_PATIENCE = 20_000


@dataclass(frozen=True, slots=True)
class Row:
    """A recorded frame and its result."""

    frame: Frame
    result: FrameResult


@dataclass(frozen=True, slots=True)
class Record:
    """A session and its recorded frames."""

    session: Session
    rows: list[Row]
    #: Whether the frames' measures have been deleted, which happens a minute after the session's end.
    forgotten: bool


def read(engine: Engine, session_id: str) -> Record | None:
    """The record of a session; None if it does not exist."""
    with UnitOfWork(engine, read_only=True) as uow:
        session = uow.sessions.get(session_id)
    if session is None:
        return None
    # Both count up with each transaction that writes; frames of one session are written under its row's lock.
    order = "rowid" if engine.dialect.name == "sqlite" else "xmin::text::bigint"
    statement = text(f"SELECT frame_id, at, observation, result FROM frames WHERE session_id = :id ORDER BY {order}")  # noqa: S608
    with engine.connect() as connection:
        forget_from = connection.scalar(text("SELECT forget_from FROM sessions WHERE id = :id"), {"id": session_id})
        rows = [
            Row(Frame(frame_id, at, codec.decode_observation(observation)), codec.decode_result(result))
            for frame_id, at, observation, result in connection.execute(statement, {"id": session_id})
        ]
    return Record(session, rows, forgotten=session.ended and forget_from is None)


def disagreement(record: Record, weighing: Weighing = FITTED) -> str | None:
    """Why no history gives what is recorded; None if one does. weighing: the weights of the service's verdicts."""
    session = _opened(record.session)
    distances = [
        (s.frame_id, s.distance)
        for s in (record.session.identity.samples if record.session.identity else [])
        if s.distance is not None
    ]
    reached = _Reached(weighing, _asked(record))
    if _replay(session, record, 0, [], distances, reached=reached):
        return None
    if reached.tried > _PATIENCE:
        return f"the search was given up at frame {reached.frames + 1} of {len(record.rows)}"
    if reached.frames < len(record.rows):
        return f"frame {reached.frames + 1} of {len(record.rows)}: {reached.given}"
    return f"recorded {_ending(record.session)}, given {reached.given}"


def _asked(record: Record) -> list[list[str]]:
    """The frames whose faces the session had asked for, after each recorded frame."""
    samples = record.session.identity.samples if record.session.identity else []
    judged: set[str] = set()
    asked = []
    for row in record.rows:
        judged.add(row.frame.id)
        asked.append([sample.frame_id for sample in samples if sample.frame_id in judged])
    return asked


@dataclass(slots=True)
class _Reached:
    """How far any history came, for the report; and what all histories have in common."""

    weighing: Weighing
    #: See `_asked`.
    asked: list[list[str]]
    frames: int = 0
    given: Any = None
    tried: int = 0
    #: Beginnings that lead to no recorded end: the number of frames and the session, which tells the comparisons left.
    dead: set[tuple[int, str]] = field(default_factory=set)


def _replay(
    session: Session,
    record: Record,
    at: int,
    before: list[Frame],
    distances: Sequence[tuple[str, float]],
    *,
    reached: _Reached,
) -> bool:
    """Whether the rows from `at` on can follow a session in this state; the arguments stay unchanged."""
    if at == len(record.rows):
        return _ends(session, record, distances, reached)
    row = record.rows[at]
    beginning = at, repr(session)
    reached.tried += 1
    if beginning in reached.dead or reached.tried > _PATIENCE:
        return False
    for identified, left in _identified(session, distances, row.frame.at):
        for none_earlier in (True, False):
            state = copy.deepcopy(identified)
            state.frames = _loaded(state, before, row.frame.at)
            # Recorded observations are unmirrored; a mirrored session would flip them again.
            state.mirrored = False
            result = state.submit(
                row.frame.id, row.frame.observation, row.frame.at, none_earlier=none_earlier, weighing=reached.weighing
            )
            # The worker, not the session, adds the place of the face.
            result = replace(result, face=row.result.face)
            asked = [sample.frame_id for sample in state.identity.samples] if state.identity else []
            if at >= reached.frames:
                reached.frames = at
                reached.given = f"recorded {row.result}, asked {reached.asked[at]}; given {result}, asked {asked}"
            # Which faces are asked for depends on the comparisons that had come in.
            if result != row.result or asked != reached.asked[at]:
                continue
            state.frames = []
            if _replay(state, record, at + 1, [*before, row.frame], left, reached=reached):
                return True
            break  # the same answer either way: `none_earlier` has made no difference
    reached.dead.add(beginning)
    return False


def _identified(
    session: Session, distances: Sequence[tuple[str, float]], at: float
) -> Iterator[tuple[Session, Sequence[tuple[str, float]]]]:
    """The session after none, one, two … of the comparisons that may have come in by now, and those that are left."""
    yield session, distances
    for n, (frame_id, distance) in enumerate(distances):
        if session.awaits_distance(frame_id):
            state = copy.deepcopy(session)
            state.take_distance(frame_id, distance, at)
            for identified, left in _identified(state, distances[n + 1 :], at):
                yield identified, [*distances[:n], *left]


def _ends(session: Session, record: Record, distances: Sequence[tuple[str, float]], reached: _Reached) -> bool:
    wanted = _ending(record.session)
    now = record.session.ended_at or 0.0
    for identified, _ in _identified(session, distances, now):
        for at in (None, session.due):
            state = copy.deepcopy(identified)
            if at is not None and not state.ended:
                state.tick(at, reached.weighing)
            if reached.frames <= len(record.rows):
                reached.frames, reached.given = len(record.rows), _ending(state)
            if _ending(state) == wanted:
                return True
    return False


def _ending(session: Session) -> tuple[Any, ...]:
    passed = [(c.passed_at, c.confidence) for c in session.challenges]
    return session.state, session.is_live, session.reason, session.score, session.ended_at, passed


def _loaded(session: Session, before: list[Frame], at: float) -> list[Frame]:
    """The frames that `SessionRepository.load_frames` would load."""
    until, since = session.frames_needed(at)
    newest = sorted(before, key=lambda frame: frame.at, reverse=True)
    opening = [frame for frame in newest if frame.at <= until][:_OPENING_FRAMES]
    recent = [frame for frame in newest if frame.at > until and frame.at >= since][:_RECENT_FRAMES]
    return sorted([*opening, *recent], key=lambda frame: (frame.at, frame.id))


def _opened(stored: Session) -> Session:
    """The session as it was at its creation."""
    session = Session.open(
        stored.id,
        [ChallengeType(c.type) for c in stored.challenges],
        timeout_seconds=stored.challenges[0].timeout_seconds,
        at=stored.created_at,
        ttl=stored.expires_at - stored.created_at,
        mirrored=stored.mirrored,
        preset=stored.preset,
        options=stored.options,
        identify=stored.identity is not None,
        reference=stored.identity is not None and stored.identity.reference is not None,
    )
    session.expires_at = stored.expires_at
    assert session.identity is None or session.identity.limit == SWAP_LIMITS[stored.preset]
    return session
