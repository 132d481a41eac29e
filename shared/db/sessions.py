"""Rows of sessions, their challenges and their frames.

All statements are built once, and a frame needs as few of them as possible.
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
from shared.db.ended import Ending, sampled
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
_BIND = (
    update(sessions)
    .where(sessions.c.id == bindparam("session_id"), sessions.c.browser.is_(None))
    .values(browser=bindparam("digest"))
)
_BROWSER = select(sessions.c.browser).where(sessions.c.id == bindparam("session_id"))
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
# A frame that is recorded already stays as it is. Without preserve_rowcount the number of inserted rows is unknown.
_RECORD = {
    "sqlite": sqlite.insert(frames).on_conflict_do_nothing().execution_options(preserve_rowcount=True),
    "postgresql": postgresql.insert(frames).on_conflict_do_nothing().execution_options(preserve_rowcount=True),
}
#: The columns from which an `Ending` is made.
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


# The number of all frames comes with them, as a row without an id.
_HOW_MANY = select(null(), cast(func.count(), Double), null()).where(frames.c.session_id == bindparam("session_id"))
# The same frames as `shared.db.frame_memory.window` gives.
_RECALL = _newest_frames(OPENING_FRAMES, frames.c.at <= bindparam("until")).union_all(
    _newest_frames(RECENT_FRAMES, frames.c.at > bindparam("until"), frames.c.at >= bindparam("since")), _HOW_MANY
)
_NEWER = _newest_frames(RECENT_FRAMES, frames.c.at > bindparam("after")).union_all(_HOW_MANY)


@dataclass(slots=True)
class _Stored:
    """The columns of a session as they were read, to find out what has changed."""

    session: dict[str, Any]
    challenges: list[dict[str, Any]]
    locked: bool


class SessionRepository:
    """The repository of sessions within one unit of work: `uow.sessions`."""

    def __init__(self, connection: Connection, *, read_only: bool = False, may_end: bool = False) -> None:
        """may_end: whether `ended` is acted upon after the commit; otherwise no session can be ended or deleted."""
        self._connection = connection
        self._read_only = read_only
        self._may_end = may_end
        self._stored: dict[str, _Stored] = {}
        #: Events that this unit has written to the outbox.
        self.recorded: list[Event] = []
        #: Sessions that this unit has ended or deleted, or that ended earlier and are to be cleared again.
        self.ended: list[Ending] = []

    def get(self, session_id: str, *, lock: bool = False) -> Session | None:
        """The session with its challenges, without its frames (see `load_frames`); None if there is none.

        lock: other units that lock the session wait until this unit ends. Without a lock the session cannot be saved.
        """
        if lock and self._read_only:
            raise RuntimeError("A read-only unit of work cannot lock a session")
        key = {"session_id": session_id}
        row = self._connection.execute(_GET_LOCKED if lock else _GET, key).one_or_none()
        if row is None:
            return None
        # Not joined to the statement above: after waiting for the lock PostgreSQL reads the locked row again, but joined
        # rows as they were before the wait.
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
            terms=codec.terms_of(row.terms),
            browser=row.browser,
        )
        stored = _stored(session, locked=lock)
        # As stored, not as this version of the code computes it: then `save` corrects a stale one, which the clock would
        # find for ever.
        stored.session["due"] = row.due
        self._stored[session_id] = stored
        return session

    def load_frames(self, session: Session, at: float, memory: FrameMemory | None = None) -> None:
        """Load into `session.frames` what is needed to judge a frame that arrived at `at`: see `Session.frames_needed`.

        memory: the process's frame memory, with which only newer frames are read; the session must then be locked.
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
            # A frame is missing that was overtaken by a later one, so all are read.
        session.frames, count = self._read_frames(_RECALL, session.id, until=until, since=since)
        if memory is not None and len(session.frames) == count:
            memory.keep(session.id, session.frames.copy())  # the session adds to its own list

    def _read_frames(self, statement: Any, session_id: str, **bounds: float) -> tuple[list[Frame], int]:
        """Frames, oldest first, and the number of all frames of the session."""
        rows = self._connection.execute(statement, {"session_id": session_id, **bounds}).all()
        count = next(int(number) for frame_id, number, _ in rows if frame_id is None)
        read = [Frame(i, at, codec.decode_observation(data)) for i, at, data in rows if i is not None]
        read.sort(key=lambda frame: (frame.at, frame.id))
        return read, count

    def answer_of(self, session_id: str, frame_id: str) -> FrameResult | None:
        """The answer to a frame that has been judged before (the queue may deliver it twice); otherwise None."""
        data = self._connection.scalar(_ANSWER, {"session_id": session_id, "frame_id": frame_id})
        return None if data is None else codec.decode_result(data)

    def kept(self, session_id: str, after: float, limit: int) -> list[tuple[Frame, FrameResult]]:
        """Up to `limit` frames that arrived later than `after`, oldest first, each with its answer."""
        rows = self._connection.execute(_KEPT, {"session_id": session_id, "after": after, "most": limit})
        return [
            (Frame(row.frame_id, row.at, codec.decode_observation(row.observation)), codec.decode_result(row.result))
            for row in rows
        ]

    def add(self, session: Session) -> None:
        """Insert a new session, and its events into the outbox."""
        stored = _stored(session, locked=True)
        fixed = {
            "id": session.id,
            "created_at": session.created_at,
            "forget_from": session.ended_at,
            "owner": session.owner,
            "subject": session.subject,
            "terms": codec.plain(session.terms),
            "browser": session.browser,
        }
        self._connection.execute(_ADD, {**fixed, **stored.session})
        self._connection.execute(
            _ADD_CHALLENGES,
            [{"session_id": session.id, "position": i, **values} for i, values in enumerate(stored.challenges)],
        )
        self._write_events(session)
        self._stored[session.id] = stored

    def save(self, session: Session) -> None:
        """Write what has changed since `get` or `add`, and the new events into the outbox.

        A session that has just ended is added to `ended`, and counted as a failed attempt of its subject if it fell short.
        Raises RuntimeError if the session is not locked, or has ended in a unit that may not end one.
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
        """Insert a frame with its answer; False if it was recorded before, and then nothing is changed."""
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

    def bind(self, session_id: str, digest: str) -> str | None:
        """Bind a session's token to a browser, unless it is bound; return the hash of the browser that it is bound to.

        None if there is no such session. Needs no lock: the first statement to reach the row wins.
        """
        key = {"session_id": session_id}
        self._connection.execute(_BIND, {**key, "digest": digest})
        bound: str | None = self._connection.scalar(_BROWSER, key)
        return bound

    def cancel(self, session: Session, at: float) -> None:
        """Delete a locked session, and write the event `session.cancelled`.

        A session that had begun and not ended counts as a failed attempt: otherwise a person about to fail could cancel in
        time.
        """
        if self._locked(session).session["ended_at"] is None:
            self._count_attempt(session, at)
        session.cancel(at)
        self._write_events(session)
        self.delete(session.id)

    def delete(self, session_id: str) -> bool:
        """Delete a session with its challenges and frames; False if there is none.

        Its events stay in the outbox. No event is written and no attempt counted: see `cancel`.
        """
        self._stored.pop(session_id, None)
        deleted = self._connection.execute(_DELETE, {"session_id": session_id}).one_or_none()
        if deleted is None:
            return False
        self._end(_ending(deleted))
        return True

    def overdue(self, at: float, limit: int) -> list[str]:
        """Ids of up to `limit` sessions that `Session.tick` ends at `at`, longest overdue first."""
        return list(self._connection.scalars(_OVERDUE, {"now": at, "most": limit}))

    def forget_frames(self, ended_before: float, *, limit: int = 10) -> int:
        """Delete the frames of up to `limit` sessions that ended before `ended_before`; return the number of sessions.

        Fewer than `limit` means that there are no more. Use small batches: SQLite has one writer at a time, for which the
        frames of other sessions wait. The sessions are added to `ended` again: the process that ended one may have been
        killed before it could clean up.
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
        """Delete up to `limit` sessions that ended before `ended_before`, with their rows; return the number of sessions.

        Events that were published before then are deleted as well; unpublished events stay.
        """
        rows = self._batch(sessions.c.ended_at, ended_before, limit)
        if rows:
            self._connection.execute(delete(sessions).where(sessions.c.id.in_([row.id for row in rows])))
        for row in rows:
            self._end(_ending(row))
        published = select(outbox.c.id).where(outbox.c.published_at < ended_before).limit(10 * limit)
        self._connection.execute(delete(outbox).where(outbox.c.id.in_(published)))
        return len(rows)

    def _batch(self, column: ColumnElement[float], before: float, limit: int) -> Sequence[Row[*tuple[Any, ...]]]:
        # Rows locked by another unit are skipped: two clocks may run, and neither is to wait for the other.
        due = select(*_OF_ENDED).where(column < before).order_by(column).limit(limit)
        return self._connection.execute(due.with_for_update(skip_locked=True)).all()

    def _locked(self, session: Session) -> _Stored:
        stored = self._stored.get(session.id)
        if stored is None or not stored.locked:
            raise RuntimeError("Only a session got with lock=True can be saved: another unit may have changed it")
        return stored

    def _end(self, ending: Ending) -> None:
        if not self._may_end:
            raise RuntimeError(
                "A unit of work that ends or deletes a session needs on_end: see shared.handoff.clean_up"
            )
        self.ended.append(ending)

    def _count_attempt(self, session: Session, at: float) -> None:
        if session.subject is not None and session.fell_short:
            AttemptRepository(self._connection).add(session.subject, at)

    def _write_events(self, session: Session) -> None:
        if session.events:
            self._connection.execute(_ADD_EVENTS, [_event_row(session.id, event) for event in session.events])
            self.recorded += session.events
            session.events.clear()


def _stored(session: Session, *, locked: bool) -> _Stored:
    """The columns of a session and its challenges that can change."""
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
