"""Sessions in and out of their rows.

Core statements, made once: a frame costs as few of them as it can.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Double,
    Row,
    bindparam,
    cast,
    delete,
    func,
    insert,
    null,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from shared.db import codec
from shared.db.attempts import AttemptRepository
from shared.db.ending import Ending, sampled
from shared.db.frame_memory import OPENING_FRAMES, RECENT_FRAMES, FrameMemory, window
from shared.db.tables import challenges, frames, outbox, sessions
from shared.liveness.challenge import Challenge, ChallengeType
from shared.liveness.evidence import Preset
from shared.liveness.frame import Frame
from shared.liveness.session import Event, FrameResult, Session, State

_GET = select(sessions).where(sessions.c.id == bindparam("session_id"))
_GET_LOCKED = _GET.with_for_update()
_GET_CHALLENGES = (
    select(challenges).where(challenges.c.session_id == bindparam("session_id")).order_by(challenges.c.position)
)
_ADD = insert(sessions)
_ADD_CHALLENGES = insert(challenges)
_ADD_EVENTS = insert(outbox).inline()
_SAVE = update(sessions).where(sessions.c.id == bindparam("session_id"))
_SAVE_CHALLENGES = update(challenges).where(
    challenges.c.session_id == bindparam("of_session"), challenges.c.position == bindparam("at_position")
)
_DELETE = (
    delete(sessions)
    .where(sessions.c.id == bindparam("session_id"))
    .returning(sessions.c.id, sessions.c.expires_at, sessions.c.identity)
)
_ANSWER = select(frames.c.result).where(
    frames.c.session_id == bindparam("session_id"), frames.c.frame_id == bindparam("frame_id")
)
_KEPT = (
    select(frames)
    .where(frames.c.session_id == bindparam("session_id"), frames.c.at > bindparam("after"))
    .order_by(frames.c.at, frames.c.frame_id)
    .limit(bindparam("most"))
)
# The same frame again changes nothing, whoever was first. How many rows an INSERT made is known only if asked for.
_RECORD = {
    "sqlite": sqlite.insert(frames).on_conflict_do_nothing().execution_options(preserve_rowcount=True),
    "postgresql": postgresql.insert(frames).on_conflict_do_nothing().execution_options(preserve_rowcount=True),
}
#: What the clean-up of an ended session has to know.
_OF_ENDED = (
    sessions.c.id,
    sessions.c.expires_at,
    sessions.c.ended_at,
    sessions.c.is_live,
    sessions.c.options,
    sessions.c.identity,
)
_OVERDUE = (
    select(sessions.c.id).where(sessions.c.due <= bindparam("now")).order_by(sessions.c.due).limit(bindparam("most"))
)


def _newest_frames(most: int, *conditions: ColumnElement[bool]) -> Any:
    return select(
        select(frames.c.frame_id, frames.c.at, frames.c.observation)
        .where(frames.c.session_id == bindparam("session_id"), *conditions)
        .order_by(frames.c.at.desc())
        .limit(most)
        .subquery()
    )


# How many there are in all comes with them, as a row without an id.
_HOW_MANY = select(null(), cast(func.count(), Double), null()).where(frames.c.session_id == bindparam("session_id"))
# Two limits, see `shared.db.frame_memory.window`.
_RECALL = _newest_frames(OPENING_FRAMES, frames.c.at <= bindparam("until")).union_all(
    _newest_frames(RECENT_FRAMES, frames.c.at > bindparam("until"), frames.c.at >= bindparam("since")), _HOW_MANY
)
_NEWER = _newest_frames(RECENT_FRAMES, frames.c.at > bindparam("after")).union_all(_HOW_MANY)


@dataclass(slots=True)
class _Stored:
    """What the database holds of a session, to tell what has changed since."""

    session: dict[str, Any]
    challenges: list[dict[str, Any]]
    locked: bool


class SessionRepository:
    """The sessions within one unit of work: `uow.sessions`."""

    def __init__(self, connection: Connection, *, read_only: bool = False, may_end: bool = False) -> None:
        """may_end: what follows an end is told of `ended` after the commit; without it nothing can be ended or deleted."""
        self._connection = connection
        self._read_only = read_only
        self._may_end = may_end
        self._stored: dict[str, _Stored] = {}
        #: What this unit has written into the outbox.
        self.told: list[Event] = []
        #: Sessions that this unit has ended or deleted, or that ended before and are to be cleared once more.
        self.ended: list[Ending] = []

    def get(self, session_id: str, *, lock: bool = False) -> Session | None:
        """The session, with its challenges and without its frames (see `load_frames`); None if there is none.

        lock: no other unit gets it with a lock before this unit has ended. Without it the session can only be read.
        """
        if lock and self._read_only:
            raise RuntimeError("A read-only unit of work cannot lock a session")
        key = {"session_id": session_id}
        row = self._connection.execute(_GET_LOCKED if lock else _GET, key).one_or_none()
        if row is None:
            return None
        # Not joined to the statement above: PostgreSQL, having waited for the lock, reads the locked row anew, but
        # rows joined to it as they were before the wait.
        session = Session(
            id=row.id,
            challenges=[
                Challenge(ChallengeType(c.type), c.timeout_seconds, c.started_at, c.passed_at, c.confidence)
                for c in self._connection.execute(_GET_CHALLENGES, key)
            ],
            created_at=row.created_at,
            expires_at=row.expires_at,
            mirrored=row.mirrored,
            preset=Preset(row.preset),
            options=codec.options_of(row.options),
            state=State(row.state),
            started_at=row.started_at,
            ended_at=row.ended_at,
            is_live=row.is_live,
            reason=row.reason,
            score=row.score,
            findings=codec.findings_of(row.findings),
            held=codec.held_of(row.held, row.identity),
            identity=codec.identity_of(row.identity),
            owner=row.owner,
            subject=row.subject,
        )
        stored = _stored(session, locked=lock)
        # The stored one, not what this version of the code makes of it: a sweep must not find the same row for ever.
        stored.session["due"] = row.due
        self._stored[session_id] = stored
        return session

    def load_frames(self, session: Session, at: float, memory: FrameMemory | None = None) -> None:
        """Bring `session.frames` that are needed to judge a frame which arrived at `at`: see `Session.frames_needed`.

        memory: what this process has read before; then only what is new since is read. The session must be locked.
        """
        until, since = session.frames_needed(at)
        known = None if memory is None else memory.of(session.id)
        if memory is not None and known is not None:
            newer, count = self._read_frames(_NEWER, session.id, after=known[-1].at if known else 0.0)
            if len(known) + len(newer) == count:
                every = known + newer
                memory.keep(session.id, every)
                session.frames = window(every, until, since)
                return
            # One came in between: its message was overtaken by a later frame's.
        session.frames, count = self._read_frames(_RECALL, session.id, until=until, since=since)
        if memory is not None and len(session.frames) == count:
            memory.keep(session.id, session.frames.copy())  # a session adds to its own

    def _read_frames(self, statement: Any, session_id: str, **bounds: float) -> tuple[list[Frame], int]:
        """Frames, oldest first, and how many the session has in all."""
        rows = self._connection.execute(statement, {"session_id": session_id, **bounds}).all()
        count = next(int(number) for frame_id, number, _ in rows if frame_id is None)
        read = [Frame(i, at, codec.decode_observation(data)) for i, at, data in rows if i is not None]
        read.sort(key=lambda frame: (frame.at, frame.id))
        return read, count

    def answer_of(self, session_id: str, frame_id: str) -> FrameResult | None:
        """What was answered to this frame, if it has been judged already: the queue may deliver it twice."""
        data = self._connection.scalar(_ANSWER, {"session_id": session_id, "frame_id": frame_id})
        return None if data is None else codec.decode_result(data)

    def kept(self, session_id: str, after: float, limit: int) -> list[tuple[Frame, FrameResult]]:
        """Up to `limit` frames that arrived later than `after`, oldest first, each with what was answered."""
        rows = self._connection.execute(_KEPT, {"session_id": session_id, "after": after, "most": limit})
        return [
            (Frame(row.frame_id, row.at, codec.decode_observation(row.observation)), codec.decode_result(row.result))
            for row in rows
        ]

    def add(self, session: Session) -> None:
        """A new session: its rows, and its events into the outbox."""
        stored = _stored(session, locked=True)
        fixed = {
            "id": session.id,
            "created_at": session.created_at,
            "forget_from": session.ended_at,
            "owner": session.owner,
            "subject": session.subject,
        }
        self._connection.execute(_ADD, {**fixed, **stored.session})
        self._connection.execute(
            _ADD_CHALLENGES,
            [{"session_id": session.id, "position": i, **values} for i, values in enumerate(stored.challenges)],
        )
        self._write_events(session)
        self._stored[session.id] = stored

    def save(self, session: Session) -> None:
        """Write what has changed since `get` or `add`, if anything has, and the new events into the outbox.

        That it has just failed its subject is noted, too.
        """
        before = self._locked(session)
        after = _stored(session, locked=True)
        if after.session != before.session:
            self._connection.execute(
                _SAVE, {"session_id": session.id, "forget_from": session.ended_at, **after.session}
            )
        changed = [
            {"of_session": session.id, "at_position": i, **new}
            for i, (old, new) in enumerate(zip(before.challenges, after.challenges, strict=True))
            if new != old
        ]
        if changed:
            self._connection.execute(_SAVE_CHALLENGES, changed)
        if session.ended_at is not None and before.session["ended_at"] is None:
            self._end(Ending.of(session))
            self._count_attempt(session, session.ended_at)
        self._write_events(session)
        self._stored[session.id] = after

    def record(self, session_id: str, frame: Frame, result: FrameResult) -> bool:
        """Keep what a frame showed and what was answered; False, and nothing done, if that had been done before."""
        recorded = self._connection.execute(
            _RECORD[self._connection.dialect.name],
            {
                "session_id": session_id,
                "frame_id": frame.id,
                "at": frame.at,
                "observation": codec.encode_observation(frame.observation),
                "result": codec.encode_result(result),
            },
        )
        return recorded.rowcount == 1

    def cancel(self, session: Session, at: float) -> None:
        """Delete a session, which must have been got with a lock, and write the event `session.cancelled`.

        A session that had begun and not ended counts as an attempt: else whoever is about to fail would cancel in time.
        """
        if self._locked(session).session["ended_at"] is None:
            self._count_attempt(session, at)
        session.cancel(at)
        self._write_events(session)
        self.delete(session.id)

    def delete(self, session_id: str) -> bool:
        """Delete a session with its challenges and frames; its events in the outbox stay. False if there is none.

        Nobody is told, and no attempt is counted: see `cancel`.
        """
        self._stored.pop(session_id, None)
        deleted = self._connection.execute(_DELETE, {"session_id": session_id}).one_or_none()
        if deleted is None:
            return False
        self._end(_ending(deleted))
        return True

    def overdue(self, at: float, limit: int) -> list[str]:
        """Ids of sessions that are to be ended by `tick`, the longest overdue first."""
        return list(self._connection.scalars(_OVERDUE, {"now": at, "most": limit}))

    def forget_frames(self, ended_before: float, *, limit: int = 10) -> int:
        """Delete the frames' measures of up to `limit` sessions that ended before then; how many sessions it were.

        Fewer than `limit`: there are no more. One small batch a unit: SQLite has one writer at a time, and the frames
        of other sessions wait for it. The sessions are reported as ended once more: whoever ended one may have been killed
        before it could tell of it.
        """
        rows = self._batch(sessions.c.forget_from, ended_before, limit)
        ids = [row.id for row in rows]
        if ids:
            self._connection.execute(delete(frames).where(frames.c.session_id.in_(ids)))
            self._connection.execute(update(sessions).where(sessions.c.id.in_(ids)).values(forget_from=null()))
        for row in rows:
            portrait = row.is_live and codec.options_of(row.options).portrait
            self._end(_ending(row, row.ended_at if portrait else None))
        return len(ids)

    def purge(self, ended_before: float, *, limit: int = 200) -> int:
        """Delete up to `limit` sessions that ended before then, with all that is theirs; how many it were.

        Events that were published before then go as well; an event that was not is kept until it is.
        """
        rows = self._batch(sessions.c.ended_at, ended_before, limit)
        if rows:
            self._connection.execute(delete(sessions).where(sessions.c.id.in_([row.id for row in rows])))
        for row in rows:
            self._end(_ending(row))
        told = select(outbox.c.id).where(outbox.c.published_at < ended_before).limit(10 * limit)
        self._connection.execute(delete(outbox).where(outbox.c.id.in_(told)))
        return len(rows)

    def _batch(self, column: ColumnElement[float], before: float, limit: int) -> Sequence[Row[*tuple[Any, ...]]]:
        # Passing over what another unit holds: two clocks may run, and neither must wait for the other.
        due = select(*_OF_ENDED).where(column < before).order_by(column).limit(limit)
        return self._connection.execute(due.with_for_update(skip_locked=True)).all()

    def _locked(self, session: Session) -> _Stored:
        stored = self._stored.get(session.id)
        if stored is None or not stored.locked:
            raise RuntimeError("Only a session got with lock=True can be saved: another unit may have changed it")
        return stored

    def _end(self, ending: Ending) -> None:
        if not self._may_end:
            raise RuntimeError("A unit of work that ends or deletes a session needs on_end: see shared.handoff.endings")
        self.ended.append(ending)

    def _count_attempt(self, session: Session, at: float) -> None:
        if session.subject is not None and session.fell_short:
            AttemptRepository(self._connection).add(session.subject, at)

    def _write_events(self, session: Session) -> None:
        if session.events:
            self._connection.execute(_ADD_EVENTS, [_event_row(session.id, event) for event in session.events])
            self.told += session.events
            session.events.clear()


def _stored(session: Session, *, locked: bool) -> _Stored:
    """What of a session can change, as its rows hold it."""
    return _Stored(
        session={
            "state": session.state.value,
            "mirrored": session.mirrored,
            "preset": session.preset.value,
            "options": codec.plain(session.options),
            "expires_at": session.expires_at,
            "started_at": session.started_at,
            "ended_at": session.ended_at,
            "due": session.due,
            "is_live": session.is_live,
            "reason": session.reason,
            "score": session.score,
            "findings": codec.plain(session.findings),
            "held": codec.plain(session.held),
            "identity": codec.plain(session.identity),
        },
        challenges=[
            {
                "type": challenge.type.value,
                "timeout_seconds": challenge.timeout_seconds,
                "started_at": challenge.started_at,
                "passed_at": challenge.passed_at,
                "confidence": challenge.confidence,
            }
            for challenge in session.challenges
        ],
        locked=locked,
    )


def _ending(row: Any, portrait_from: float | None = None) -> Ending:
    return Ending(row.id, row.expires_at, portrait_from, sampled(codec.identity_of(row.identity)))


def _event_row(session_id: str, event: Event) -> dict[str, Any]:
    return {
        "event_id": str(uuid.uuid4()),
        "session_id": session_id,
        "type": event.type,
        "at": event.at,
        "data": event.data,
    }
