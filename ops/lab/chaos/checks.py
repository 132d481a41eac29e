"""What must hold after a fault; each check yields a sentence for each violation."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from redis import Redis
from sqlalchemy import Engine, text

from ops.lab.chaos import truth
from ops.lab.rig.load import Notes, Request, Seen
from ops.lab.rig.stack import Stack

#: Seconds that an answer may take beyond the frame's deadline: for the balancer, and a busy machine.
MARGIN = 2.0
#: Statuses that are an answer: a judged frame, or a problem that says what to do.
_ANSWERS = frozenset({200, 404, 503})
#: Prefixes of the keys that exist while the service rests.
RESTING = (
    "workers:",
    "metrics:",
    "limit:",
    "ended:",
    "dramatiq:__heartbeats__",
    "dramatiq:__acks__",
    "_kombu.binding",
)
#: Seconds within which the clock must have ended an overdue session.
_CLOCK = 4.0


@dataclass(frozen=True, slots=True)
class Tolerance:
    """What a fault may do to requests."""

    #: Statuses allowed beside answers: the balancer's, or 0 for a broken connection; and how many of them at most.
    also: frozenset[int] = frozenset()
    at_most: int = 0
    #: Seconds beyond the deadline.
    margin: float = MARGIN
    #: The share of requests that may be refused with 503; clients go on after these.
    refused: float = 1.0


#: Every request is answered.
ONLY_ANSWERS = Tolerance()
#: Clients notice nothing, except for a machine that is busy for a moment.
UNSEEN = Tolerance(refused=0.025)


def answered(requests: Sequence[Request], deadline: float, tolerance: Tolerance) -> Iterator[str]:
    """Each request has an answer that came in time and that a client can understand."""
    other = [r for r in requests if r.status not in _ANSWERS]
    strange = [r for r in other if r.status not in tolerance.also]
    if strange:
        kinds = Counter(f"{r.what}: {r.status} {r.code}" for r in strange)
        yield f"{len(strange)} requests without an answer: {_counted(kinds)}"
    if len(other) - len(strange) > tolerance.at_most:
        yield f"{len(other)} requests were cut off, of at most {tolerance.at_most}"
    nameless = [r for r in requests if r.status == 503 and not r.code.isidentifier()]
    if nameless:
        yield f"{len(nameless)} times 503 without a problem document: {nameless[0].code}"
    refused = [r for r in requests if r.status == 503]
    if len(refused) > tolerance.refused * len(requests):
        kinds = Counter(f"{r.what}: {r.status} {r.code}" for r in refused)
        yield f"{len(refused)} of {len(requests)} requests were refused: {_counted(kinds)}"
    late = [r for r in requests if r.took > deadline + tolerance.margin]
    if late:
        worst = max(late, key=lambda r: r.took)
        yield f"{len(late)} answers came late, the last after {worst.took:.1f} s ({worst.what}: {worst.status} {worst.code})"


def sessions_kept(stack: Stack, notes: Notes, patience: float = 45.0) -> Iterator[str]:
    """No session is lost or stuck; each is as its client was told, and as its frames give."""
    until = time.monotonic() + patience
    while (stuck := overdue(stack.engine, time.time() - _CLOCK)) or living(stack.engine):
        if time.monotonic() > until:
            yield f"{len(stuck)} sessions are overdue and not ended, {living(stack.engine)} have not ended"
            break
        time.sleep(0.5)
    records = {session_id: truth.read(stack.engine, session_id) for session_id in notes.sessions}
    for seen in notes.sessions.values():
        yield from _as_told(seen, records[seen.session_id])
    judged_again = 0
    for session_id, record in records.items():
        if record is not None and not record.forgotten:
            judged_again += 1
            if (reason := truth.disagreement(record, stack.settings.weighing)) is not None:
                yield f"{session_id}: its frames do not give its state: {reason}"
    if not judged_again and any(records.values()):
        yield "no session could be judged again: the measures of all have been deleted"


def _as_told(seen: Seen, record: truth.Record | None) -> Iterator[str]:
    """A client was told nothing that the rows contradict."""
    if record is None:
        if not seen.cancelled and not seen.left:
            yield f"session {seen.session_id} is lost; its client saw it {seen.state}"
        return
    session = record.session
    told, now = (seen.state, seen.is_live), (session.state.value, session.is_live)
    if told[0] not in ("pending", "in_progress") and told != now:
        yield f"{seen.session_id}: its client was told {told}; it is {now}"
    passes = len(session.challenges) - session.remaining
    if seen.passes > passes:
        yield f"{seen.session_id}: its client was told of {seen.passes} passes, there are {passes}"


def overdue(engine: Engine, at: float) -> list[str]:
    """The ids of sessions that should have ended by `at`."""
    with engine.connect() as connection:
        return list(connection.scalars(text("SELECT id FROM sessions WHERE due <= :at"), {"at": at}))


def living(engine: Engine) -> int:
    """The number of sessions that have not ended."""
    with engine.connect() as connection:
        return int(connection.scalar(text("SELECT count(*) FROM sessions WHERE ended_at IS NULL")) or 0)


def events_kept(engine: Engine, notes: Notes, *, patience: float = 45.0) -> Iterator[str]:
    """Each session's events are in the outbox, complete and in order, and all events get published.

    Call this once all sessions have ended. The last event may be published some time later: the relay looks a few times a
    second, and pauses for up to ten seconds after a fault.
    """
    until = time.monotonic() + patience
    while waiting := unpublished(engine):
        if time.monotonic() > until:
            yield f"{len(waiting)} events have not been published within {patience:g} s: {', '.join(waiting[:5])}"
            break
        time.sleep(0.1)
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT session_id, type FROM outbox ORDER BY id")).all()
    events: dict[str, list[str]] = {}
    for session_id, kind in rows:
        events.setdefault(session_id, []).append(kind.removeprefix("session."))
    for session_id in notes.sessions:
        record = truth.read(engine, session_id)
        kinds = events.get(session_id, [])
        if record is None:
            # The published events of a deleted session are deleted with it (shared/db/trail.py).
            if kinds and kinds[-1] != "cancelled":
                yield f"{session_id} is gone, and its last event is {kinds[-1:]}"
            continue
        passes = len(record.session.challenges) - record.session.remaining
        wanted = ["created", *(["started"] if record.session.started_at is not None else [])]
        wanted += ["challenge_passed"] * passes
        wanted += [record.session.state.value] if record.session.ended else []
        if kinds != wanted:
            yield f"{session_id}: its events are {kinds}, and should be {wanted}"


def unpublished(engine: Engine) -> list[str]:
    """The unpublished events of the outbox, as `session: type`, in the order of writing."""
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT session_id, type FROM outbox WHERE published_at IS NULL ORDER BY id"))
        return [f"{session_id}: {kind}" for session_id, kind in rows]


def verdicts(engine: Engine, notes: Notes) -> Counter[str]:
    """How the sessions ended, for the report."""
    ended: Counter[str] = Counter()
    for session_id in notes.sessions:
        record = truth.read(engine, session_id)
        session = record.session if record else None
        ended["cancelled" if session is None else "live" if session.is_live else session.state.value] += 1
    return ended


#: Seconds within which all keys must have gone: longer than any time to live, and than the 60 seconds after which kombu
#: hands the messages of a killed subscriber to another one (`workers.events.cloudevents.connect`).
_PATIENCE = 90.0


def keys_left(redis: Redis, *, lingering: float = 0.0) -> Iterator[str]:
    """Redis holds only RESTING keys once times to live are over. lingering: seconds that keys may stay beyond that."""
    until = time.monotonic() + _PATIENCE + lingering
    while left := [key for key in _keys(redis) if not key.startswith(RESTING)]:
        if time.monotonic() > until:
            immortal = [key for key in left if redis.ttl(key) == -1]
            kinds = Counter(key.partition(":")[0] if "dramatiq" not in key else key for key in left)
            yield f"{len(left)} keys are left in Redis ({len(immortal)} for ever): {_counted(kinds)}"
            return
        time.sleep(1.0)


def _keys(redis: Redis) -> list[str]:
    return [key.decode() for key in redis.scan_iter(count=1000)]


@dataclass(frozen=True, slots=True)
class Holding:
    """The connections and the memory of a service at rest."""

    #: Clients connected to each server.
    connections: dict[str, int]
    #: Megabytes of each program's processes together.
    memory: dict[str, float]

    @classmethod
    def of(cls, stack: Stack) -> Holding:
        """Measure a stack now."""
        memory: defaultdict[str, float] = defaultdict(float)
        for program in stack.programs:
            memory[program.name] += sum(program.of_each(lambda p: int(p.memory_info().rss))) / 1e6
        connections = {server.name: server.connections() for server in stack.servers}
        return cls(connections, {name: round(size, 1) for name, size in memory.items()})


def holding_kept(stack: Stack, before: Holding, *, connections: int, share: float = 0.25) -> Iterator[str]:
    """Connections and memory are as before: within so many connections of pools, and a share of the memory."""
    now = Holding.of(stack)
    for name, count in now.connections.items():
        if count > before.connections[name] + connections:
            yield f"{count} connections to {name}, of {before.connections[name]} before"
    for name, size in now.memory.items():
        if size > before.memory[name] * (1 + share) + 30:
            yield f"{name} holds {size:.0f} MB, of {before.memory[name]:.0f} before"


def _counted(kinds: Counter[str]) -> str:
    return ", ".join(f"{count}× {kind}" for kind, count in kinds.most_common(5))


def outcomes(requests: Sequence[Request]) -> Counter[str]:
    """The number of requests by status and code, for the report."""
    return Counter(f"{r.status}" + (f" {r.code}" if r.code else "") for r in requests)
