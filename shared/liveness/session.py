"""A session: the aggregate that turns observations into passes, states and a verdict."""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from shared.liveness import hints
from shared.liveness.challenge import Challenge, ChallengeType, Prompt
from shared.liveness.evidence import LIMITS, Code, Finding, Preset, against, examine
from shared.liveness.frame import Frame
from shared.liveness.framing import Framing
from shared.liveness.gestures import Judgement, judge
from shared.liveness.hints import Hint
from shared.liveness.identity import PATIENCE, Held, Identity, Reference
from shared.liveness.observation import Observation
from shared.liveness.options import NO_OPTIONS, Options
from shared.liveness.portrait import from_ideal

#: Seconds of frames before the current challenge that its judge may look at.
PREROLL = 4.0
#: Seconds at the beginning of a session whose frames are always at hand: the person's first neutral.
OPENING = 3.0
#: Seconds back from now that are judged at most.
WINDOW = 20.0
#: Seconds that a frame may be under way: before they are over, no clock fails a session.
SETTLE = 6.0
#: Seconds from the start of a challenge's clock before which nothing passes it. Merely to see something come and to press a
#: key takes people 0.2 to 0.25 s, and here they have to read what to do: what is there sooner began before it was asked for.
REACTION = 0.3
#: Seconds from the first usable frame before which no session completes: the judges of the evidence have seen too little
#: by then (a screen's rim is looked for each 0.6 s, `stiff` compares five frames). Measured against 0.8, one challenge: of
#: 320 swaps of photos 38 accepted in place of 45, of 2688 prints 6 in place of 8; of 264 gestures in four filmings, and of
#: 872 sessions of people, none is lost, and the median pass comes 0.06 s later. 1.4 does as little harm.
LEAST_SEEN = 1.2


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
    #: What the judges of the evidence found, challenge by challenge.
    findings: list[Finding] = field(default_factory=list)
    #: Whether it is one person all the way; None where nobody asks.
    identity: Identity | None = None
    #: Who created it, by a name that means nothing here; None where nobody was asked.
    owner: str | None = None
    #: Who is being tried, by a name that means nothing here; None where it was not told.
    subject: str | None = None
    #: Frames of the opening and of the last seconds, oldest first: what the judges look at. See `recall`.
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
            identity=Identity(LIMITS[preset][Code.SWAPPED]) if identify or reference else None,
        )
        if session.identity is not None and reference:
            session.identity.reference = Reference()
        session._tell("session.created", at, challenges=[str(c.type) for c in session.revealed(at)])
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
        if self._held is not None:
            # A second later than a frame would: its client is to learn of the pass by an answer.
            return min(self.expires_at, self._held.at + PATIENCE + 1.0)
        current = self.current
        deadline = current.deadline if current else None
        return self.expires_at if deadline is None else min(self.expires_at, deadline + SETTLE)

    def recall(self, at: float) -> tuple[float, float]:
        """Which frames must be at hand to judge one that arrived at `at`.

        Returns (until, since): the frames that arrived up to `until` (the opening), and those from `since` on.
        """
        current = self.current
        start = (current.started_at if current else None) or self.created_at
        opening = (self.challenges[0].started_at or at) + OPENING
        return opening, max(start - PREROLL, at - WINDOW)

    def tick(self, at: float) -> None:
        """Let time pass: fail or expire what is overdue at `at`."""
        due = self.due
        if due is None or at < due:
            return
        current = self.current
        if current and self._held is not None and due < self.expires_at:
            self._pass(current, self._held.at, self._held.confidence, ending=due)
        elif current and current.deadline is not None and current.deadline + SETTLE <= self.expires_at:
            self._fail(current.deadline, "timed_out")
        else:
            self._end(State.EXPIRED, self.expires_at, "expired")

    def submit(self, frame_id: str, observation: Observation, at: float, *, settled: bool = True) -> FrameResult:
        """Judge a frame that arrived at `at`.

        settled: no frame that arrived earlier is still being measured. Only then may this one time a challenge out.
        """
        if at >= self.expires_at:
            self.tick(at)
        current = self.current
        if current is None:
            return self._result(None, hint=hints.ENDED)
        observation = self._unmirrored(observation)
        self._start(at)
        self._remember(Frame(frame_id, at, observation), current)
        if self._held is not None:
            return self._wait(self._held, current, observation)
        if current not in self.revealed(at):
            return self._result(None, hint=hints.WAIT)
        if current.deadline is not None and at > current.deadline:
            if settled:
                self._fail(current.deadline, "timed_out")
                return self._result(None, hint=hints.TIMED_OUT)
            return self._result(current, hint=hints.TIMED_OUT)
        if current.started_at is None and observation.usable:
            current.started_at = at
        if current.started_at is None or at < current.started_at:
            return self._result(current, hint=hints.for_problem(observation.problem))
        judgement = self._judge(current, current.started_at, at)
        if judgement.passed:
            return self._meet(current, judgement, observation)
        hint = hints.for_problem(observation.problem) or judgement.hint
        return self._result(current, confidence=judgement.confidence, hint=hint)

    def times_out(self, at: float) -> bool:
        """Whether a frame that arrived at `at` can time the current challenge out: only of one must `settled` be known."""
        current = self.current
        return current is not None and current.deadline is not None and at > current.deadline

    def pass_over(self, at: float, newer: float) -> FrameResult | None:
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

    def asks_for(self, frame_id: str) -> bool:
        """Whether the face of this frame is to be compared, and `identify` to be told of it."""
        return not self.ended and self.identity is not None and self.identity.asks_for(frame_id)

    def identify(self, frame_id: str, distance: float, at: float) -> None:
        """Take in how far the face of a frame that was asked for is from the first face that was described.

        Another person's ends the session at once. What came before, or too late, changes nothing.
        """
        if self.ended or self.identity is None or not self.identity.compare(frame_id, distance):
            return
        self.findings = [f for f in self.findings if f.code is not Code.SWAPPED] + self.identity.findings()
        if self.identity.swapped:
            self._fail(at, "identity_swap")

    def from_portrait(self, frame_id: str) -> float | None:
        """How far a frame that has just been submitted is from a portrait's ideal; None where none is wanted of it."""
        frame = next((f for f in reversed(self.frames) if f.id == frame_id), None)
        if frame is None or not self.options.portrait:
            return None
        return from_ideal(frame, self.frames, self.recall(frame.at)[0])

    def cancel(self, at: float) -> None:
        """Tell that this session is no more; the caller deletes it."""
        self._tell("session.cancelled", at)

    @property
    def _held(self) -> Held | None:
        return None if self.identity is None else self.identity.held

    def _unmirrored(self, observation: Observation) -> Observation:
        if self.mirrored and observation.face is not None:
            return replace(observation, face=observation.face.mirrored())
        return observation

    def _start(self, at: float) -> None:
        if self.state is State.PENDING:
            self.state, self.started_at = State.IN_PROGRESS, at
            self._tell("session.started", at)

    def _remember(self, frame: Frame, current: Challenge) -> None:
        insort(self.frames, frame, key=lambda f: f.at)
        if self.identity is not None:
            self.identity.see(frame, self.frames, self.challenges.index(current), self.recall(frame.at)[0])

    def _judge(self, challenge: Challenge, began: float, at: float) -> Judgement:
        # Frames that came after the deadline, while earlier ones were still being measured, are not part of the answer.
        in_time = [f for f in self.frames if challenge.deadline is None or f.at <= challenge.deadline]
        judgement = judge(challenge.type, in_time, since=began, opening_until=self.recall(at)[0])
        too_soon = began + REACTION
        if self.remaining == 1:
            too_soon = max(too_soon, (self.challenges[0].started_at or began) + LEAST_SEEN)
        if judgement.passed and self.frames[-1].at < too_soon:
            return replace(judgement, passed=False, hint=hints.do(challenge.type))
        return judgement

    def _meet(self, challenge: Challenge, judgement: Judgement, observation: Observation) -> FrameResult:
        """The gesture is there: its challenge passes, but the last one not before it is known who did it."""
        newest = self.frames[-1].at
        if self.identity is not None and self.remaining == 1 and not self.identity.settled(newest):
            return self._wait(self.identity.hold(newest, judgement.confidence), challenge, observation)
        self._pass(challenge, newest, judgement.confidence)
        hint = hints.for_problem(observation.problem) or judgement.hint
        return self._result(challenge, passed=True, confidence=judgement.confidence, hint=hint)

    def _wait(self, held: Held, challenge: Challenge, observation: Observation) -> FrameResult:
        """The gesture has been met; its pass comes with the first frame after the comparisons, or without them."""
        identity, newest = self.identity, self.frames[-1].at
        if identity is None or identity.settled(newest) or newest >= held.at + PATIENCE:
            self._pass(challenge, held.at, held.confidence, ending=newest)
            return self._result(challenge, passed=True, confidence=held.confidence, hint=hints.PASSED)
        waiting = hints.HOLD_STILL if identity.waits(newest) else hints.LOOK_STRAIGHT
        hint = hints.for_problem(observation.problem) or waiting
        return self._result(challenge, confidence=held.confidence, hint=hint)

    def _pass(self, challenge: Challenge, at: float, confidence: float, *, ending: float | None = None) -> None:
        """ending: when the session ends by it, where that is later than the pass."""
        position = self.challenges.index(challenge)
        # With the pause before its reveal: a cut to another recording would be made there.
        began = self.challenges[position - 1].passed_at if position else challenge.started_at
        shown = [f for f in self.frames if f.at <= at]
        asked = [c.type for c in self.challenges[: position + 1]]
        self.findings += examine(
            shown, asked, since=at if began is None else began, opening_until=self.recall(at)[0], earlier=self.findings
        )
        challenge.passed_at, challenge.confidence = at, confidence
        self._tell("session.challenge_passed", at, challenge=str(challenge.type), confidence=confidence)
        if self.identity is not None:
            self.identity.passed()
        following = self.current
        if following is not None:
            pauses = self.options.pauses
            following.started_at = at + (pauses[position] if position < len(pauses) else 0.0)
        else:
            self._conclude(at if ending is None else ending)

    def _conclude(self, at: float) -> None:
        if self.identity is not None:
            self.findings += self.identity.unidentified()
        doubts = against(self.findings, self.preset)
        self.is_live = not doubts
        self._end(State.COMPLETED, at, doubts[0].code if doubts else None)

    def _fail(self, at: float, reason: str) -> None:
        self._end(State.FAILED, at, reason)

    def _end(self, state: State, at: float, reason: str | None) -> None:
        self.state, self.ended_at, self.reason = state, at, reason
        self._tell(f"session.{state}", at, is_live=self.is_live, reason=reason)

    def _tell(self, kind: str, at: float, **data: Any) -> None:
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
