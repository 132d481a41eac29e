"""The work on one frame: fetch it, measure it, judge it, answer; then, of a few, have the face compared.

The queue delivers at least once, in any order, and several workers may have frames of one session: measuring keeps
nothing, judging happens under the lock of the session's row, and a frame that was judged before gets the same answer
again. Whatever happens, the request that waits gets an answer, and nothing is answered before it is committed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol

import structlog
from dramatiq import Actor, Broker, actor
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from shared.db import FrameMemory, UnitOfWork
from shared.handoff import answers, claims, faces, inflight, portraits
from shared.handoff.answers import Answer, FrameProblem
from shared.liveness.evidence import Weighing
from shared.liveness.frame import Frame
from shared.liveness.framing import framing
from shared.liveness.session import Session
from shared.queue.messages import FRAMES, MEASURE_FRAME, QueueUnavailable, enqueue_comparison
from shared.redis.timekeeping import now
from shared.telemetry.metrics.table import JUDGING_SECONDS, Stage
from workers import tracking
from workers.vision.errors import BadImage
from workers.vision.pipeline import Seen
from workers.vision.prior import Prior

log = structlog.get_logger(__name__)

#: Seconds in the queue after which a frame is not worked on if a newer one of its session waits there, too. While workers
#: keep up, a frame waits for milliseconds.
BEHIND = 0.5

# The codes are among those that the API documents.
NOT_JUDGED = Answer(
    problem=FrameProblem(503, "unavailable", "This frame could not be judged: send the next one. The session goes on.")
)
ROWS_AWAY = Answer(
    problem=FrameProblem(503, "database_unavailable", "This frame could not be judged just now: try again in a moment.")
)
UNKNOWN_SESSION = Answer(
    problem=FrameProblem(404, "session_not_found", "The session was cancelled or deleted. Create a new one.")
)


class Looks(Protocol):
    """What is needed of vision (`workers.vision.pipeline.Vision`)."""

    def look(self, data: bytes, prior: Prior | None, at: float) -> Seen:
        """What a picture shows, and where its face is; raises BadImage."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What is said of a frame, and what is left to do about it."""

    answer: Answer
    #: As it is in its rows now; None where it is no more, or was not looked at.
    session: Session | None = None
    #: Whether the frame's face is to be compared.
    compare: bool = False
    #: How far it is from a portrait's ideal, where a portrait is wanted.
    portrait_distance: float | None = None


class Tools(Protocol):
    """What the work needs, there from the moment the process has booted (`workers.resources.Resources`)."""

    @property
    def redis(self) -> Redis:
        """Pictures and answers."""

    @property
    def engine(self) -> Engine:
        """Sessions."""

    @property
    def vision(self) -> Looks:
        """What measures a frame."""

    @property
    def weighing(self) -> Weighing:
        """What verdicts go by."""


class Fetched(NamedTuple):
    """What is in Redis for a frame."""

    picture: bytes | None
    prior: Prior | None
    #: When it was put into the queue; None where that is not known.
    waits_since: float | None


class FrameWork:
    """Works on frames, one at a time."""

    def __init__(self, tools: Tools, broker: Broker) -> None:
        self._tools = tools
        self._broker = broker
        self._memory = FrameMemory()

    def __call__(self, session_id: str, frame_id: str, arrived_at: float) -> None:
        """Work on one frame; it arrived at the API at `arrived_at`, in seconds since the epoch."""
        with structlog.contextvars.bound_contextvars(session_id=session_id, frame_id=frame_id):
            picture, prior, waits_since = self._fetch(session_id, frame_id)
            if picture is None:
                log.debug("frame.gone")  # answered already, or too late: nobody waits
                return
            judged, seen = Judged(NOT_JUDGED), None
            try:
                passed_over = self._pass_over(session_id, arrived_at, waits_since)
                if passed_over is None:
                    seen = self._tools.vision.look(picture, prior, arrived_at)
                    with Stage(JUDGING_SECONDS):
                        judged = self._judge(session_id, Frame(frame_id, arrived_at, seen.observation))
                else:
                    judged = Judged(passed_over)
                log.debug("frame.judged", **_said(judged.answer))
            except BadImage as error:
                judged = Judged(_bad_image(error))
            except (OperationalError, PoolTimeout):
                log.exception("frame.not_judged")
                judged = Judged(ROWS_AWAY)
            except Exception:
                log.exception("frame.not_judged")
            finally:
                # Also when the time limit has interrupted the work, which is no Exception.
                self._reply(session_id, frame_id, arrived_at, judged, seen)
            if seen is not None and judged.session is not None and not judged.session.ended:
                self._use_face(judged.session, frame_id, seen, judged)

    def _fetch(self, session_id: str, frame_id: str) -> Fetched:
        pipe = self._tools.redis.pipeline(transaction=False)
        claims.look(pipe, frame_id)
        tracking.look(pipe, session_id)
        inflight.waits_since(pipe, frame_id)
        picture, prior, waits_since = pipe.execute()
        return Fetched(picture, tracking.decode(prior), waits_since)

    def _pass_over(self, session_id: str, arrived_at: float, waits_since: float | None) -> Answer | None:
        """What is said of a frame that need not be worked on, for the queue is behind and has a newer one; else None."""
        if waits_since is None or now() - waits_since < BEHIND:
            return None
        newer_at = inflight.newer(self._tools.redis, session_id, arrived_at)
        if newer_at is None:
            return None
        with UnitOfWork(self._tools.engine, read_only=True) as uow:
            session = uow.sessions.get(session_id)
        if session is None:
            return UNKNOWN_SESSION
        result = session.supersede(arrived_at, newer_at)
        return None if result is None else Answer(result=result)

    def _judge(self, session_id: str, frame: Frame) -> Judged:
        with UnitOfWork(self._tools.engine) as uow:
            session = uow.sessions.get(session_id, lock=True)
            if session is None:
                return Judged(UNKNOWN_SESSION)
            # Whether it was judged before is seen when it is recorded; a frame of an ended session is not.
            if session.ended and (judged := uow.sessions.answer_of(session_id, frame.id)) is not None:
                return Judged(Answer(result=judged))
            # Asked only of a frame that could time a challenge out, and before the frames are recalled: one that is not
            # under way any more has been committed, and is seen.
            none_earlier = not session.times_out(frame.at) or not inflight.count_earlier(
                self._tools.redis, session_id, frame.at
            )
            if not session.ended:
                uow.sessions.load_frames(session, frame.at, self._memory)
            result = session.submit(
                frame.id, frame.observation, frame.at, none_earlier=none_earlier, weighing=self._tools.weighing
            )
            result = replace(result, face=framing(frame.observation))
            # As the session remembers it (mirrored, where its client mirrors); not at all, if it had ended before.
            remembered = next((kept for kept in reversed(session.frames) if kept.id == frame.id), None)
            if remembered is not None and not uow.sessions.record(session_id, remembered, result):
                # A second delivery: it gets the same answer, and what was judged anew is not committed.
                return Judged(Answer(result=uow.sessions.answer_of(session_id, frame.id)))
            uow.sessions.save(session)
            uow.commit()
        return Judged(
            Answer(result=result), session, session.awaits_distance(frame.id), session.portrait_distance(frame.id)
        )

    def _reply(self, session_id: str, frame_id: str, arrived_at: float, judged: Judged, seen: Seen | None) -> None:
        pipe = self._tools.redis.pipeline(transaction=False)
        if seen is not None:
            tracking.keep(pipe, session_id, arrived_at, seen.prior)
        answers.push(pipe, frame_id, judged.answer)
        inflight.leave(pipe, session_id, frame_id)
        claims.drop(pipe, frame_id)
        if judged.session is not None and judged.session.ended:
            faces.forget(pipe, session_id)
            if judged.session.options.portrait:
                (portraits.release if judged.session.is_live else portraits.drop)(pipe, session_id)
        try:
            pipe.execute()
        except RedisError:
            # The request cannot hear us and answers 503 by itself; what was judged stays judged.
            log.exception("frame.not_answered")

    def _use_face(self, session: Session, frame_id: str, seen: Seen, judged: Judged) -> None:
        """Send the face on its way, keep the picture. The frame has been answered: nobody waits for this."""
        try:
            if judged.compare and (chip := seen.chip()) is not None:
                faces.put(self._tools.redis, frame_id, chip)
                enqueue_comparison(self._broker, session.id, frame_id, session.expires_at)
            if judged.portrait_distance is not None:
                self._keep_portrait(session, seen, judged.portrait_distance)
        except (RedisError, QueueUnavailable):
            # The session takes another sample, and says so where there was none.
            log.exception("face.not_sent")

    def _keep_portrait(self, session: Session, seen: Seen, score: float) -> None:
        best = portraits.best(self._tools.redis, session.id)
        # Only what is clearly better is worth the encoding.
        if best is None or score < 0.8 * best - 0.5:
            left = session.expires_at - now()
            portraits.keep(self._tools.redis, session.id, score, seen.jpeg(mirrored=session.mirrored), left)


def declare(broker: Broker, tools: Tools, *, max_age: int) -> Actor[Any, None]:
    """Make the work on frames known to the broker, as the actor `measure_frame` on the queue `frames`.

    max_age: milliseconds after which nobody waits for a frame any more; it is dropped.
    """
    declared = actor(broker=broker, actor_name=MEASURE_FRAME, queue_name=FRAMES, max_age=max_age)
    return declared(FrameWork(tools, broker))


def _said(answer: Answer) -> dict[str, Any]:
    """What of an answer its log line tells."""
    if answer.result is None:
        return {"problem": answer.problem and answer.problem.code}
    return {"state": answer.result.state, "passed": answer.result.passed}


def _bad_image(error: BadImage) -> Answer:
    status = 413 if error.code == "too_many_pixels" else 422
    return Answer(problem=FrameProblem(status, error.code, error.detail))
