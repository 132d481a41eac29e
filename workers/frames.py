"""The work on one frame: fetch its picture, measure it, judge it, answer it; then have the face of a few frames compared.

The queue delivers each message at least once, in any order, and several workers may work on frames of one session. So
measuring changes nothing, judging happens under the lock of the session's row, and a frame that was judged before gets the
same answer again. The waiting request gets an answer whatever happens, and none before its result is committed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import structlog
from dramatiq import Actor, Broker, actor
from redis.exceptions import RedisError
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from shared.db import FrameMemory, UnitOfWork
from shared.evidence_model import EvidenceModel
from shared.handoff import answers, effort, faces, frame_pictures, inflight, portraits
from shared.handoff.answers import Answer, FrameProblem
from shared.handoff.clean_up import Endings
from shared.liveness.camera import CameraReport
from shared.liveness.frame import Frame
from shared.liveness.framing import framing
from shared.liveness.session import Session
from shared.queue.messages import FRAMES, MEASURE_FRAME, QueueUnavailable, enqueue_comparison, enqueue_crops
from shared.redis.timekeeping import now
from shared.telemetry.metrics.table import JUDGING_SECONDS, Stage
from workers import tracking
from workers.tools import FrameTools
from workers.vision.errors import BadImage
from workers.vision.isolated import DecoderError
from workers.vision.passive import cut_crops
from workers.vision.pipeline import Seen
from workers.vision.prior import Prior

log = structlog.get_logger(__name__)

#: Seconds in the queue after which a frame is passed over if a newer one of its session waits as well. A frame waits for
#: milliseconds only while the workers keep up.
BEHIND = 0.5

#: The code of a picture that costs too much to decode.
TOO_COMPLEX = "image_too_complex"

NOT_JUDGED = Answer(problem=FrameProblem("unavailable"))
ROWS_AWAY = Answer(problem=FrameProblem("database_unavailable"))
SPENT = Answer(
    problem=FrameProblem(
        "too_many_frames",
        "The pictures of this session take too long to decode: send smaller ones, as baseline JPEG. The session goes on.",
        429,
    )
)
UNKNOWN_SESSION = Answer(problem=FrameProblem("session_not_found"))


@dataclass(frozen=True, slots=True)
class Judged:
    """The answer to a frame, and what is still to be done with it."""

    answer: Answer
    #: The session as committed; None if it was deleted or never loaded.
    session: Session | None = None
    #: Whether the frame's face is to be compared.
    compare: bool = False
    #: Whether the operator's own model is to look at the frame's face.
    score: bool = False
    #: Whether the frame's picture may become the session's portrait, if its face is found to be the session's.
    portrait: bool = False
    #: Seconds of the processor that decoding the picture took.
    cost: float = 0.0


class Fetched(NamedTuple):
    """What Redis holds for a frame."""

    picture: bytes | None
    prior: Prior | None
    #: When the frame began to wait for a worker; None if that is not known.
    waits_since: float | None
    #: What the client said of its camera with this frame.
    camera: CameraReport | None
    #: Whether the session's pictures have taken all the processor time that they may take.
    spent: bool


class FrameWork:
    """The actor's function: works on one frame at a time."""

    def __init__(self, tools: FrameTools, broker: Broker, model: EvidenceModel | None = None) -> None:
        self._tools = tools
        self._model = model
        self._broker = broker
        self._memory = FrameMemory()

    def __call__(self, session_id: str, frame_id: str, arrived_at: float) -> None:
        """Work on one frame, which arrived at the API at `arrived_at`, in seconds since the epoch."""
        with structlog.contextvars.bound_contextvars(session_id=session_id, frame_id=frame_id):
            picture, prior, waits_since, camera, spent = self._fetch(session_id, frame_id)
            if picture is None:
                log.debug("frame.gone")  # answered already, or expired: no request waits for it
                return
            judged, seen = Judged(NOT_JUDGED), None
            try:
                passed_over = SPENT if spent else self._pass_over(session_id, arrived_at, waits_since)
                if passed_over is None:
                    seen = self._tools.vision.look(picture, prior, arrived_at)
                    observation = replace(seen.observation, camera=camera) if camera else seen.observation
                    with Stage(JUDGING_SECONDS):
                        judged = self._judge(session_id, Frame(frame_id, arrived_at, observation))
                    judged = replace(judged, cost=seen.cost)
                else:
                    judged = Judged(passed_over)
                log.debug("frame.judged", **_facts(judged.answer))
            except BadImage as error:
                cost = max(error.cost, effort.STALLED) if error.code == TOO_COMPLEX else error.cost
                judged = Judged(Answer(problem=FrameProblem(error.code, error.detail)), cost=cost)
            except DecoderError as error:
                log.exception("frame.not_decoded")
                judged = Judged(NOT_JUDGED, cost=error.cost)
            except (OperationalError, PoolTimeout):
                log.exception("frame.not_judged")
                judged = Judged(ROWS_AWAY)
            except Exception:
                log.exception("frame.not_judged")
            finally:
                # Also when the time limit interrupts the work: it raises no Exception but a BaseException.
                self._reply(session_id, frame_id, arrived_at, judged, seen)
            if seen is not None and judged.session is not None and not judged.session.ended:
                self._use_face(judged.session, frame_id, seen, judged)

    def _fetch(self, session_id: str, frame_id: str) -> Fetched:
        pipe = self._tools.redis.pipeline(transaction=False)
        frame_pictures.look(pipe, frame_id)
        tracking.look(pipe, session_id)
        inflight.waits_since(pipe, frame_id)
        frame_pictures.look_report(pipe, frame_id)
        effort.look(pipe, session_id)
        picture, prior, waits_since, report, count = pipe.execute()
        return Fetched(
            picture,
            tracking.decode(prior),
            waits_since,
            frame_pictures.decode_report(report),
            effort.is_spent(count, now()),
        )

    def _pass_over(self, session_id: str, arrived_at: float, waits_since: float | None) -> Answer | None:
        """The answer to a frame that is passed over because the queue is behind and has a newer one; None to measure it."""
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
        on_end = Endings(self._tools.redis, self._memory.forget)
        with UnitOfWork(self._tools.engine, on_end=on_end) as uow:
            session = uow.sessions.get(session_id, lock=True)
            if session is None:
                return Judged(UNKNOWN_SESSION)
            # `record` below finds a second delivery, but it is not reached for a frame of an ended session.
            if session.ended and (judged := uow.sessions.answer_of(session_id, frame.id)) is not None:
                return Judged(Answer(result=judged))
            # Needed only for a frame that can time a challenge out, and read before the session's frames: whichever frame
            # is not under way any more by then has been committed, and is loaded.
            none_earlier = not session.times_out(frame.at) or not inflight.count_earlier(
                self._tools.redis, session_id, frame.at
            )
            if not session.ended:
                uow.sessions.load_frames(session, frame.at, self._memory)
            result = session.submit(
                frame.id, frame.observation, frame.at, none_earlier=none_earlier, weighing=self._tools.weighing
            )
            result = replace(result, face=framing(frame.observation))
            # As the session took it in, which unmirrors it; None if the session had ended before.
            remembered = next((known for known in reversed(session.frames) if known.id == frame.id), None)
            if remembered is not None and not uow.sessions.record(session_id, remembered, result):
                # A second delivery gets the first one's answer, and this judgement is not committed.
                return Judged(Answer(result=uow.sessions.answer_of(session_id, frame.id)))
            uow.sessions.save(session)
            uow.commit()
        return Judged(
            Answer(result=result),
            session,
            compare=session.awaits_distance(frame.id),
            score=session.awaits_score(frame.id),
            portrait=session.portrait_distance(frame.id) is not None,
        )

    def _reply(self, session_id: str, frame_id: str, arrived_at: float, judged: Judged, seen: Seen | None) -> None:
        pipe = self._tools.redis.pipeline(transaction=False)
        if judged.cost >= effort.FREE:
            effort.spend(pipe, session_id, judged.cost)
        if seen is not None:
            prior = seen.prior
            if prior is not None and judged.session is not None:
                prior = replace(prior, blinks=judged.session.watches_eyes(arrived_at))
            tracking.keep(pipe, session_id, arrived_at, prior)
        answers.push(pipe, frame_id, judged.answer)
        inflight.leave(pipe, session_id, frame_id)
        frame_pictures.drop(pipe, frame_id)
        try:
            pipe.execute()
        except RedisError:
            # The request gives up and answers 503; the judgement stays committed.
            log.exception("frame.not_answered")

    def _use_face(self, session: Session, frame_id: str, seen: Seen, judged: Judged) -> None:
        """Leave the face to be compared, and the picture if it may become a portrait. The frame has been answered by now."""
        try:
            if judged.compare and (chip := seen.chip()) is not None:
                faces.put(self._tools.redis, session.id, frame_id, chip)
                if judged.portrait:
                    portraits.offer(self._tools.redis, session.id, frame_id, seen.jpeg(mirrored=session.mirrored))
                enqueue_comparison(self._broker, session.id, frame_id, session.expires_at)
            if judged.score and self._model is not None and (face := seen.observation.face) is not None:
                crops = cut_crops(seen.picture, face, self._model)
                if crops is not None:
                    faces.put_crops(self._tools.redis, session.id, frame_id, crops)
                    enqueue_crops(self._broker, session.id, frame_id)
        except (RedisError, QueueUnavailable):
            # The session asks for another frame's face, and its verdict says so if none was compared.
            log.exception("face.not_sent")


def declare(broker: Broker, tools: FrameTools, *, max_age: int, model: EvidenceModel | None = None) -> Actor[Any, None]:
    """Declare the actor `measure_frame` on the queue `frames`.

    max_age: milliseconds after which a message is dropped, because no request waits for its frame any more. model: the
    operator's own model, for which faces are cut out.
    """
    declared = actor(broker=broker, actor_name=MEASURE_FRAME, queue_name=FRAMES, max_age=max_age)
    return declared(FrameWork(tools, broker, model))


def _facts(answer: Answer) -> dict[str, Any]:
    """The part of an answer that is logged."""
    if answer.result is None:
        return {"problem": answer.problem and answer.problem.code}
    return {"state": answer.result.state, "passed": answer.result.passed}
