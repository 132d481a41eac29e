"""A session: the aggregate that turns observations into passes, states and a verdict."""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from shared.liveness import hints
from shared.liveness.challenge import Challenge, ChallengeType, Prompt
from shared.liveness.evidence import FITTED, SWAP_LIMITS, Code, Finding, Preset, Verdict, Weighing, examine
from shared.liveness.evidence.sight import LEAST_AFTER, too_sparse
from shared.liveness.frame import Frame
from shared.liveness.framing import Framing
from shared.liveness.gestures import Judgement, judge
from shared.liveness.held import Held
from shared.liveness.hints import Hint
from shared.liveness.identity import Identity, Reference
from shared.liveness.observation import Observation
from shared.liveness.options import NO_OPTIONS, Options
from shared.liveness.portrait import distance_from_ideal

#: Seconds of frames before the current challenge that its judge may look at.
PREROLL = 4.0
#: Seconds at the beginning of a session whose frames are always at hand: the person's first neutral.
OPENING = 3.0
#: Seconds back from now that are judged at most.
WINDOW = 20.0
#: Seconds that a frame may be under way: before they are over, no clock fails a session.
LONGEST_TRANSIT = 6.0
#: Seconds from the start of a challenge's clock before which nothing passes it. Merely to see something come and to press a
#: key takes people 0.2 to 0.25 s, and here they have to read what to do: what is there sooner began before it was asked for.
REACTION = 0.3


class State(StrEnum):
    """The states of API.md."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class FrameResult:
    """The documented answer to a frame, and a hint."""

    session_id: str
    challenge_type: ChallengeType | None
    passed: bool
    confidence: float
    challenges_remaining: int
    session_complete: bool
    is_live: bool | None
    state: State
    hint: Hint | None = None
    #: The challenge that `challenge_type` names, as it is shown.
    challenge: Prompt | None = None
    #: Where the face is in this frame.
    face: Framing | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a session: `type` is e.g. "session.completed"."""

    type: str
    at: float
    data: dict[str, Any]


@dataclass(slots=True)
class Session:
    """One person's check. Not to be used from two places at once: the caller holds its row's lock."""

    id: str
    challenges: list[Challenge]
    created_at: float
    expires_at: float
    mirrored: bool = False
    #: How much evidence the verdict asks for.
    preset: Preset = Preset.STANDARD
    options: Options = NO_OPTIONS
    state: State = State.PENDING
    started_at: float | None = None
    ended_at: float | None = None
    is_live: bool | None = None
    #: Why it failed or was not live: a stable code, for the server's side only.
    reason: str | None = None
    #: How likely it is that the session was a living person's, 0 to 1: set when it is complete, for the server's side only.
    score: float | None = None
    #: What the judges of the evidence found, challenge by challenge.
    findings: list[Finding] = field(default_factory=list)
    #: The gesture that has been met and whose pass waits; None where none does.
    held: Held | None = None
    #: Whether it is one person all the way; None where nobody asks.
    identity: Identity | None = None
    #: Who created it, by a name that means nothing here; None where nobody was asked.
    owner: str | None = None
    #: Who is being tried, by a name that means nothing here; None where it was not told.
    subject: str | None = None
    #: Frames of the opening and of the last seconds, oldest first: what the judges look at. See `frames_needed`.
    frames: list[Frame] = field(default_factory=list)
    #: New since the session was loaded; the unit of work writes them to the outbox.
    events: list[Event] = field(default_factory=list)

    @classmethod
    def open(
        cls,
        session_id: str,
        types: list[ChallengeType],
        *,
        timeout_seconds: float,
        at: float,
        ttl: float,
        mirrored: bool = False,
        preset: Preset = Preset.STANDARD,
        options: Options = NO_OPTIONS,
        identify: bool = False,
        reference: bool = False,
        owner: str | None = None,
        subject: str | None = None,
    ) -> Session:
        """A new, pending session.

        identify: whether it is to be one person all the way, by comparisons (see the method `identify`).
        reference: whether that person will be compared with a picture as well.
        """
        session = cls(
            id=session_id,
            challenges=[Challenge(t, timeout_seconds) for t in types],
            created_at=at,
            expires_at=at + ttl,
            mirrored=mirrored,
            preset=preset,
            options=options,
            owner=owner,
            subject=subject,
            identity=Identity(SWAP_LIMITS[preset]) if identify or reference else None,
        )
        if session.identity is not None and reference:
            session.identity.reference = Reference()
        session._record_event("session.created", at, challenges=[str(c.type) for c in session.revealed(at)])
        return session

    @property
    def ended(self) -> bool:
        """Whether nothing can change any more."""
        return self.state in (State.COMPLETED, State.FAILED, State.EXPIRED)

    @property
    def fell_short(self) -> bool:
        """Whether it was begun and has shown no live person: one that is cancelled now has not, either."""
        return self.started_at is not None and not self.is_live

    @property
    def current(self) -> Challenge | None:
        """The challenge to be met now; None once the session has ended."""
        if self.ended:
            return None
        return next((c for c in self.challenges if c.passed_at is None), None)

    @property
    def remaining(self) -> int:
        """How many challenges are not passed yet."""
        return sum(c.passed_at is None for c in self.challenges)

    def revealed(self, at: float) -> list[Challenge]:
        """The challenges that anybody may know of at `at`: all, unless they are revealed one at a time."""
        if not self.options.pauses:
            return self.challenges
        until = at if self.ended_at is None else min(at, self.ended_at)
        first, *others = self.challenges
        return [first, *(c for c in others if c.started_at is not None and c.started_at <= until)]

    @property
    def due(self) -> float | None:
        """When `tick` will end this session if no frame comes; None once it has ended."""
        if self.ended:
            return None
        if self.held is not None:
            # A second later than a frame would: its client is to learn of the pass by an answer.
            return min(self.expires_at, self.held.until + 1.0)
        current = self.current
        deadline = current.deadline if current else None
        return self.expires_at if deadline is None else min(self.expires_at, deadline + LONGEST_TRANSIT)

    def frames_needed(self, at: float) -> tuple[float, float]:
        """Which frames must be at hand to judge one that arrived at `at`.

        Returns (until, since): the frames that arrived up to `until` (the opening), and those from `since` on.
        """
        current = self.current
        start = (current.started_at if current else None) or self.created_at
        opening = (self.challenges[0].started_at or at) + OPENING
        return opening, max(start - PREROLL, at - WINDOW)

    def tick(self, at: float, weighing: Weighing = FITTED) -> None:
        """Let time pass: fail, expire or conclude what is overdue at `at`. No frames need to be at hand."""
        while (due := self.due) is not None and at >= due:
            self._end_overdue(due, weighing)

    def submit(
        self,
        frame_id: str,
        observation: Observation,
        at: float,
        *,
        none_earlier: bool = True,
        weighing: Weighing = FITTED,
    ) -> FrameResult:
        """Judge a frame that arrived at `at`.

        none_earlier: no frame that arrived earlier is still being measured. Only then may this one time a challenge out.
        weighing: what the verdict goes by, should this frame conclude the session.
        """
        if at >= self.expires_at:
            self.tick(at, weighing)
        current = self.current
        if current is None:
            return self._result(None, hint=hints.ENDED)
        observation = self._unmirrored(observation)
        self._start(at)
        self._remember(Frame(frame_id, at, observation), current)
        if self.held is not None:
            return self._wait(self.held, current, observation, weighing)
        if current not in self.revealed(at):
            return self._result(None, hint=hints.WAIT)
        if current.deadline is not None and at > current.deadline:
            if none_earlier:
                self._fail(current.deadline, "timed_out")
                return self._result(None, hint=hints.TIMED_OUT)
            return self._result(current, hint=hints.TIMED_OUT)
        if current.started_at is None and observation.usable:
            current.started_at = at
        if current.started_at is None or at < current.started_at:
            return self._result(current, hint=hints.for_problem(observation.problem))
        judgement = self._judge(current, current.started_at, at)
        if judgement.met:
            return self._meet(current, judgement, observation, weighing)
        hint = hints.for_problem(observation.problem) or judgement.hint
        return self._result(current, confidence=judgement.confidence, hint=hint)

    def times_out(self, at: float) -> bool:
        """Whether a frame that arrived at `at` can time the current challenge out; only then `none_earlier` counts."""
        current = self.current
        return current is not None and current.deadline is not None and at > current.deadline

    def supersede(self, at: float, newer: float) -> FrameResult | None:
        """The answer to a frame that need not be judged, because one that arrived at `newer` is there as well.

        It says how things stand, and nothing changes. None where the frame is to be judged all the same: it would be the
        first, or what the newer one shows comes too late.
        """
        current = self.current
        if current is None:
            return self._result(None, hint=hints.ENDED)
        if self.state is State.PENDING or newer >= self.expires_at or self.times_out(newer):
            return None
        return self._result(current if current in self.revealed(at) else None, hint=hints.SUPERSEDED)

    def awaits_distance(self, frame_id: str) -> bool:
        """Whether the face of this frame is to be compared, and `identify` to be told of it."""
        return not self.ended and self.identity is not None and self.identity.awaits_distance(frame_id)

    def take_distance(self, frame_id: str, distance: float, at: float) -> None:
        """Take in how far the face of a frame that was asked for is from the first face that was described.

        Another person's ends the session at once. What came before, or too late, changes nothing.
        """
        if self.ended or self.identity is None or not self.identity.take_distance(frame_id, distance):
            return
        self.findings = [f for f in self.findings if f.code is not Code.SWAPPED] + self.identity.findings()
        if self.identity.swapped:
            self._fail(at, "identity_swap")

    def portrait_distance(self, frame_id: str) -> float | None:
        """How far a frame that has just been submitted is from a portrait's ideal; None where none is wanted of it."""
        frame = next((f for f in reversed(self.frames) if f.id == frame_id), None)
        if frame is None or not self.options.portrait:
            return None
        return distance_from_ideal(frame, self.frames, self.frames_needed(frame.at)[0])

    def threshold(self, weighing: Weighing) -> float:
        """The least score with which the session is live."""
        least = self.options.threshold
        return weighing.thresholds[self.preset] if least is None else least

    def cancel(self, at: float) -> None:
        """Tell that this session is no more; the caller deletes it."""
        self._record_event("session.cancelled", at)

    def _end_overdue(self, due: float, weighing: Weighing) -> None:
        current = self.current
        if current and self.held is not None and due < self.expires_at:
            self._pass(current, self.held, due, weighing)
        elif current and current.deadline is not None and current.deadline + LONGEST_TRANSIT <= self.expires_at:
            self._fail(current.deadline, "timed_out")
        else:
            self._end(State.EXPIRED, self.expires_at, "expired")

    def _unmirrored(self, observation: Observation) -> Observation:
        if self.mirrored and observation.face is not None:
            return replace(observation, face=observation.face.mirrored())
        return observation

    def _start(self, at: float) -> None:
        if self.state is State.PENDING:
            self.state, self.started_at = State.IN_PROGRESS, at
            self._record_event("session.started", at)

    def _remember(self, frame: Frame, current: Challenge) -> None:
        insort(self.frames, frame, key=lambda f: f.at)
        if self.identity is not None:
            self.identity.see(frame, self.frames, self.challenges.index(current), self.frames_needed(frame.at)[0])

    def _judge(self, challenge: Challenge, began: float, at: float) -> Judgement:
        # Frames that came after the deadline, while earlier ones were still being measured, are not part of the answer.
        in_time = [f for f in self.frames if challenge.deadline is None or f.at <= challenge.deadline]
        judgement = judge(challenge.type, in_time, since=began, opening_until=self.frames_needed(at)[0])
        if judgement.met and self.frames[-1].at < began + REACTION:
            return replace(judgement, met=False, hint=hints.do(challenge.type))
        return judgement

    def _meet(
        self, challenge: Challenge, judgement: Judgement, observation: Observation, weighing: Weighing
    ) -> FrameResult:
        """The gesture is there: its challenge passes as soon as enough was seen of it, and it is known who did it."""
        if self.identity is not None:
            self.identity.gesture_met()
        return self._wait(Held(self.frames[-1].at, judgement.confidence), challenge, observation, weighing)

    def _wait(self, held: Held, challenge: Challenge, observation: Observation, weighing: Weighing) -> FrameResult:
        """Look at the gesture that has been met with all frames that are there by now; let it pass where that is enough."""
        newest = self.frames[-1].at
        if newest <= held.until:
            held = replace(held, findings=tuple(self._examined(challenge, held)))
        self.held = held
        waiting = self._lacking(held, newest, weighing)
        if waiting is None or newest >= held.until:
            self._pass(challenge, held, newest, weighing)
        passed = challenge.passed_at is not None
        hint = hints.for_problem(observation.problem) or waiting if not passed else hints.PASSED
        return self._result(challenge, passed=passed, confidence=held.confidence, hint=hint)

    def _lacking(self, held: Held, newest: float, weighing: Weighing) -> Hint | None:
        """What the person is to do before a gesture that has been met passes; None where nothing more is needed.

        The last one also waits for comparisons of faces, and for more evidence where there is too little: a calm person will
        have moved in a moment, a photo will not.
        """
        if any(f.code is Code.UNSEEN and f.score > 0 for f in held.findings):
            return hints.SLOW if too_sparse(self.frames) else hints.HOLD_STILL
        if self.remaining > 1:
            return None
        if self.identity is not None and not self.identity.is_complete(newest):
            return hints.HOLD_STILL if self.identity.waits(newest) else hints.LOOK_STRAIGHT
        enough = self._weighed(held, weighing).score >= self.threshold(weighing)
        return None if enough else hints.HOLD_STILL

    def _examined(self, challenge: Challenge, held: Held) -> list[Finding]:
        """What the judges of the evidence find in the challenge whose gesture has been met."""
        position = self.challenges.index(challenge)
        # With the pause before its reveal: a cut to another recording would be made there.
        began = self.challenges[position - 1].passed_at if position else challenge.started_at
        return examine(
            [f for f in self.frames if f.at <= held.until],
            [c.type for c in self.challenges[: position + 1]],
            since=held.at if began is None else began,
            met=held.at,
            opening_until=self.frames_needed(held.at)[0],
            after=LEAST_AFTER if self.remaining == 1 else 0.0,
        )

    def _pass(self, challenge: Challenge, held: Held, at: float, weighing: Weighing) -> None:
        """The challenge passes at `at` with a gesture that was met before; the session ends with its last one."""
        position = self.challenges.index(challenge)
        self.held = None
        self.findings += held.findings
        challenge.passed_at, challenge.confidence = held.at, held.confidence
        self._record_event(
            "session.challenge_passed", held.at, challenge=str(challenge.type), confidence=held.confidence
        )
        following = self.current
        if following is not None:
            pauses = self.options.pauses
            following.started_at = at + (pauses[position] if position < len(pauses) else 0.0)
        else:
            self._conclude(at, weighing)

    def _weighed(self, held: Held | None, weighing: Weighing) -> Verdict:
        """The verdict on all that has been found, with what is held."""
        unidentified = [] if self.identity is None else self.identity.unidentified()
        findings = [*self.findings, *(held.findings if held else ()), *unidentified]
        return weighing.weigh(findings, [c.type for c in self.challenges])

    def _conclude(self, at: float, weighing: Weighing) -> None:
        verdict = self._weighed(None, weighing)
        self.findings, self.score = verdict.findings, verdict.score
        self.is_live = verdict.score >= self.threshold(weighing)
        gravest = verdict.gravest
        reason = None if self.is_live else Code.UNSEEN if gravest is None else gravest.code
        self._end(State.COMPLETED, at, reason)

    def _fail(self, at: float, reason: str) -> None:
        self._end(State.FAILED, at, reason)

    def _end(self, state: State, at: float, reason: str | None) -> None:
        self.state, self.ended_at, self.reason = state, at, reason
        score = {} if self.score is None else {"score": self.score}
        self._record_event(f"session.{state}", at, is_live=self.is_live, reason=reason, **score)

    def _record_event(self, kind: str, at: float, **data: Any) -> None:
        self.events.append(Event(kind, at, data))

    def _result(
        self, challenge: Challenge | None, *, passed: bool = False, confidence: float = 0.0, hint: Hint | None = None
    ) -> FrameResult:
        return FrameResult(
            session_id=self.id,
            challenge_type=None if challenge is None else challenge.type,
            passed=passed,
            confidence=round(confidence, 3),
            challenges_remaining=self.remaining,
            session_complete=self.state is State.COMPLETED,
            is_live=self.is_live,
            state=self.state,
            hint=hint,
            challenge=None if challenge is None else challenge.prompt,
        )
