"""A session: the aggregate that turns observations of frames into passed challenges, a state and a verdict.

A frame that meets the current challenge's gesture makes its pass due; the pass is held until enough of the face was seen
(`held`). With the last pass the findings of all challenges are weighed into one score, which decides whether the session is
live. Frames may arrive late or out of order; `tick` ends a session that no frame ends.
"""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from shared.liveness import hints
from shared.liveness.challenge import Challenge, ChallengeType, Prompt
from shared.liveness.cover import is_covered
from shared.liveness.evidence import FITTED, SWAP_LIMITS, Code, Finding, Preset, Verdict, Weighing, examine
from shared.liveness.evidence.sight import LEAST_AFTER, too_sparse
from shared.liveness.frame import Frame
from shared.liveness.framing import Framing
from shared.liveness.gestures import Judgement, judge
from shared.liveness.held import Held
from shared.liveness.hints import Hint
from shared.liveness.identity import NOT_COMPARED, Identity, Reference
from shared.liveness.observation import Observation
from shared.liveness.options import NO_OPTIONS, Options
from shared.liveness.passive import Passive
from shared.liveness.portrait import distance_from_ideal
from shared.liveness.terms import NO_TERMS, Terms

#: Seconds before the start of the current challenge whose frames its judges may use.
PREROLL = 4.0
#: Seconds of the opening: the beginning of a session, whose frames are always at hand to learn the person's neutral from.
OPENING = 3.0
#: Seconds back from the newest frame that are judged at most, besides the opening.
WINDOW = 20.0
#: Seconds that a frame may be in transit, from its arrival to its judgement; the clock waits so long after a deadline.
LONGEST_TRANSIT = 6.0
#: Seconds of human reaction time: a gesture completed sooner after its challenge started must have begun before the prompt.
REACTION = 0.3
#: Why a session is not live whose subject had no attempt left: see `Terms.attempts_spent`.
TOO_MANY_ATTEMPTS = "too_many_attempts"


class State(StrEnum):
    """The states of a session, as the documented API names them."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class FrameResult:
    """The answer to a frame, as the API documents it."""

    session_id: str
    challenge_type: ChallengeType | None
    passed: bool
    confidence: float
    challenges_remaining: int
    session_complete: bool
    is_live: bool | None
    state: State
    hint: Hint | None = None
    #: The challenge that `challenge_type` names, as a client shows it.
    challenge: Prompt | None = None
    #: Where the face is in the picture.
    face: Framing | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """A domain event of a session."""

    #: For instance "session.completed".
    type: str
    #: When the event happened, in seconds since the epoch.
    at: float
    data: dict[str, Any]


@dataclass(slots=True)
class Session:
    """One person's liveness check.

    Not safe for concurrent use: the caller holds the lock on the session's row. Times are seconds since the epoch.
    """

    id: str
    challenges: list[Challenge]
    created_at: float
    expires_at: float
    #: Whether the client sends mirrored pictures.
    mirrored: bool = False
    #: How much evidence a live verdict takes.
    preset: Preset = Preset.STANDARD
    options: Options = NO_OPTIONS
    state: State = State.PENDING
    started_at: float | None = None
    ended_at: float | None = None
    is_live: bool | None = None
    #: Why the session failed, expired or was not live: a stable code, for the relying party's server only.
    reason: str | None = None
    #: How likely the session is a living person's, 0 to 1; set on completion, for the relying party's server only.
    score: float | None = None
    #: The findings about the challenges that have passed, and those of the identity check.
    findings: list[Finding] = field(default_factory=list)
    #: The gesture that was met while its pass is held; None if no pass is held.
    held: Held | None = None
    #: The check that one person is there throughout; None if the session has none.
    identity: Identity | None = None
    #: The scores of the operator's own model; None without one.
    passive: Passive | None = None
    #: Opaque id of the API key that created the session; None if unauthenticated.
    owner: str | None = None
    #: Hash of the relying party's id for the person being checked; None if not given.
    subject: str | None = None
    terms: Terms = NO_TERMS
    #: Hash of the secret of the browser that the session's token belongs to; None until a browser has used it.
    browser: str | None = None
    #: The frames at hand for the judges, oldest first: those of the opening and of the last seconds. See `frames_needed`.
    frames: list[Frame] = field(default_factory=list)
    #: Events since the session was loaded; the unit of work writes them to the outbox.
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
        passive: bool = False,
        owner: str | None = None,
        subject: str | None = None,
        terms: Terms = NO_TERMS,
    ) -> Session:
        """Create a pending session at `at` that expires `ttl` seconds later.

        identify: check that one person is there throughout, by comparing faces (`take_distance`).
        reference: a picture of the expected person is given, too; implies `identify`.
        passive: have the operator's own model look at faces (`take_score`).
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
            terms=terms,
            identity=Identity(SWAP_LIMITS[preset]) if identify or reference else None,
            passive=Passive() if passive else None,
        )
        if session.identity is not None and reference:
            session.identity.reference = Reference()
        revealed = [str(c.type) for c in session.revealed(at)]
        session._record_event("session.created", at, challenges=revealed, **session.facts)
        return session

    @property
    def ended(self) -> bool:
        """Whether the session has ended: nothing changes any more."""
        return self.state in (State.COMPLETED, State.FAILED, State.EXPIRED)

    @property
    def fell_short(self) -> bool:
        """Whether the session was started and is not live; a failed attempt if it ends or is cancelled now.

        Two kinds of session are no attempt: one of a subject without an attempt left, which would extend the pause without
        end, and one whose faces the service was too busy to compare, which is no failure of the person's.
        """
        if self.terms.attempts_spent or self.reason == NOT_COMPARED:
            return False
        return self.started_at is not None and not self.is_live

    @property
    def facts(self) -> dict[str, Any]:
        """What was asked for, for whom and by whom: for events, the signed verdict and the relying party's server."""
        types = self.terms.challenge_types
        asked = {
            "preset": self.preset.value,
            "num_challenges": len(self.challenges),
            "challenge_types": None if types is None else [kind.value for kind in types],
            "timeout_seconds": self.challenges[0].timeout_seconds,
            "mirrored": self.mirrored,
            "reveal": "next" if self.options.pauses else "all",
            "policy": self.terms.policy,
        }
        return {"asked": asked, "owner": self.owner, "subject": self.subject, "nonce": self.options.nonce}

    @property
    def current(self) -> Challenge | None:
        """The first challenge that has not passed; None once the session has ended."""
        if self.ended:
            return None
        return next((c for c in self.challenges if c.passed_at is None), None)

    @property
    def remaining(self) -> int:
        """The number of challenges that have not passed."""
        return sum(c.passed_at is None for c in self.challenges)

    def revealed(self, at: float) -> list[Challenge]:
        """The challenges that the client may know at `at`: all, unless they are revealed one at a time."""
        if not self.options.pauses:
            return self.challenges
        until = at if self.ended_at is None else min(at, self.ended_at)
        first, *others = self.challenges
        return [first, *(c for c in others if c.started_at is not None and c.started_at <= until)]

    @property
    def due(self) -> float | None:
        """When `tick` next changes this session if no frame comes; None once the session has ended."""
        if self.ended:
            return None
        if self.held is not None:
            # One second later than a frame would let it pass: a client that still sends learns of the pass from an answer.
            return min(self.expires_at, self.held.until + 1.0)
        current = self.current
        deadline = current.deadline if current else None
        return self.expires_at if deadline is None else min(self.expires_at, deadline + LONGEST_TRANSIT)

    def frames_needed(self, at: float) -> tuple[float, float]:
        """The frames that must be at hand to judge one that arrived at `at`.

        Returns (until, since): frames that arrived up to `until`, the end of the opening, and frames from `since` on.
        """
        current = self.current
        start = (current.started_at if current else None) or self.created_at
        opening = (self.challenges[0].started_at or at) + OPENING
        return opening, max(start - PREROLL, at - WINDOW)

    def tick(self, at: float, weighing: Weighing = FITTED) -> None:
        """Fail, expire or conclude the session if that is overdue at `at`; needs no frames at hand."""
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
        """Judge a frame that arrived at `at`, and return the answer to it.

        none_earlier: no frame that arrived earlier is still being measured; only then may this frame time a challenge out.
        weighing: the weights for the verdict, should this frame conclude the session.
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
            return self._try_to_pass(self.held, current, observation, weighing)
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
            return self._hold_pass(current, judgement, observation, weighing)
        covered = hints.UNCOVER if is_covered(self.frames) else None
        hint = hints.for_problem(observation.problem) or covered or judgement.hint
        return self._result(current, confidence=judgement.confidence, hint=hint)

    def watches_eyes(self, at: float) -> bool:
        """Whether a blink is asked for at `at`, as the client knows: then the eyes are to be seen in each frame."""
        current = self.current
        return current is not None and current.type is ChallengeType.BLINK and current in self.revealed(at)

    def times_out(self, at: float) -> bool:
        """Whether a frame that arrived at `at` may time the current challenge out, so that `none_earlier` matters."""
        current = self.current
        return current is not None and current.deadline is not None and at > current.deadline

    def supersede(self, at: float, newer: float) -> FrameResult | None:
        """The answer to a frame that is skipped in favour of one that arrived at `newer`.

        The answer reports the present state; the session does not change. None if the frame must be judged after all: it
        is the first, or the newer one arrived too late.
        """
        current = self.current
        if current is None:
            return self._result(None, hint=hints.ENDED)
        if self.state is State.PENDING or newer >= self.expires_at or self.times_out(newer):
            return None
        return self._result(current if current in self.revealed(at) else None, hint=hints.SUPERSEDED)

    def awaits_distance(self, frame_id: str) -> bool:
        """Whether this frame's face is to be compared, and `take_distance` to be called with the result."""
        return not self.ended and self.identity is not None and self.identity.awaits_distance(frame_id)

    def take_distance(self, frame_id: str, distance: float, at: float) -> None:
        """Take in the distance of a frame's face from the session's first face, in the descriptor's unit.

        Fails the session at once if another person was seen beyond doubt. A distance that is not awaited (twice, too late)
        changes nothing.
        """
        if self.ended or self.identity is None or not self.identity.take_distance(frame_id, distance):
            return
        self.findings = [f for f in self.findings if f.code is not Code.SWAPPED] + self.identity.findings()
        if self.identity.swapped:
            self._fail(at, "identity_swap")

    def awaits_score(self, frame_id: str) -> bool:
        """Whether the operator's own model is to look at this frame's face, and `take_score` to be called then."""
        return not self.ended and self.passive is not None and self.passive.awaits(frame_id)

    def take_score(self, frame_id: str, score: float) -> None:
        """Take in the score of a frame's face; one that is not awaited changes nothing."""
        if not self.ended and self.passive is not None:
            self.passive.take(frame_id, score)

    def portrait_distance(self, frame_id: str) -> float | None:
        """How far a frame just submitted is from an ideal portrait, in degrees.

        None if the frame is unfit, its face is not to be compared, or no portrait is wanted.
        """
        return None if self.identity is None or self.ended else self.identity.portrait_of(frame_id)

    def threshold(self, weighing: Weighing) -> float:
        """The least score with which this session is live: its own, else the preset's."""
        least = self.options.threshold
        return weighing.thresholds[self.preset] if least is None else least

    def cancel(self, at: float) -> None:
        """Record that the session was cancelled; the caller deletes it."""
        self._record_event("session.cancelled", at)

    def _end_overdue(self, due: float, weighing: Weighing) -> None:
        current = self.current
        if current and self.held is not None and due < self.expires_at:
            if self._is_to_be_made_again(self.held, due):
                self._ask_again(current, self.held, due)
            else:
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
            opening = self.frames_needed(frame.at)[0]
            portrait = distance_from_ideal(frame, self.frames, opening) if self.options.portrait else None
            self.identity.see(frame, self.frames, self.challenges.index(current), opening, portrait)
        if self.passive is not None:
            self.passive.see(frame)

    def _judge(self, challenge: Challenge, began: float, at: float) -> Judgement:
        # Frames that arrived after the deadline do not count, even while earlier ones are still being measured.
        in_time = [f for f in self.frames if challenge.deadline is None or f.at <= challenge.deadline]
        judgement = judge(challenge.type, in_time, since=began, opening_until=self.frames_needed(at)[0])
        if judgement.met and self.frames[-1].at < began + REACTION:
            return replace(judgement, met=False, hint=hints.do(challenge.type))
        return judgement

    def _hold_pass(
        self, challenge: Challenge, judgement: Judgement, observation: Observation, weighing: Weighing
    ) -> FrameResult:
        """Hold the pass of a challenge whose gesture has just been met, or let it pass at once if nothing is lacking."""
        if self.identity is not None:
            self.identity.gesture_met()
        return self._try_to_pass(Held(self.frames[-1].at, judgement.confidence), challenge, observation, weighing)

    def _try_to_pass(
        self, held: Held, challenge: Challenge, observation: Observation, weighing: Weighing
    ) -> FrameResult:
        """Examine a held gesture with all frames so far; let it pass if enough was seen or the wait is over."""
        newest = self.frames[-1].at
        if newest <= held.until:
            held = replace(held, findings=tuple(self._findings_about(challenge, held)))
        self.held = held
        if self._is_to_be_made_again(held, newest):
            self._ask_again(challenge, held, newest)
            return self._result(challenge, hint=hints.for_problem(observation.problem) or hints.LOOK_STRAIGHT)
        lacking = self._lacking(held, newest, weighing)
        if lacking is None or newest >= held.until:
            self._pass(challenge, held, newest, weighing)
        passed = challenge.passed_at is not None
        hint = hints.for_problem(observation.problem) or lacking if not passed else hints.PASSED
        return self._result(challenge, passed=passed, confidence=held.confidence, hint=hint)

    def _met_by_a_stranger(self, held: Held) -> bool:
        """Whether the held gesture was met by a face that could not be compared, and could be somebody else's."""
        return self.identity is not None and self.identity.met_by_a_stranger(held.until, len(self.challenges))

    def _is_to_be_made_again(self, held: Held, at: float) -> bool:
        """Whether a stranger met the held gesture, and will not be compared any more."""
        if self.identity is None or not self._met_by_a_stranger(held):
            return False
        return self.identity.track_ended or at >= held.until

    def _ask_again(self, challenge: Challenge, held: Held, at: float) -> None:
        """Drop a held gesture, and give the challenge its time again, from `at` or from the end of the wait."""
        assert self.identity is not None
        self.held = None
        self.identity.forget_gesture()
        challenge.started_at = min(at, held.until)

    def _lacking(self, held: Held, newest: float, weighing: Weighing) -> Hint | None:
        """The hint for what a held pass still waits for; None if nothing is lacking.

        Each pass waits for a face that can be compared. The last one also waits for the comparisons, and for more evidence
        while the score is too low: a calm person moves within a moment, a photo does not.
        """
        if any(f.code is Code.UNSEEN and f.score > 0 for f in held.findings):
            return hints.SLOW if too_sparse(self.frames) else hints.HOLD_STILL
        if self._met_by_a_stranger(held):
            return hints.LOOK_STRAIGHT
        if self.remaining > 1:
            return None
        if self.identity is not None and not self.identity.is_complete(newest):
            return hints.HOLD_STILL if self.identity.waits(newest) else hints.LOOK_STRAIGHT
        if self.passive is not None and self.passive.waits(newest):
            return hints.HOLD_STILL
        enough = self._verdict(held, weighing).score >= self.threshold(weighing)
        return None if enough else hints.HOLD_STILL

    def _findings_about(self, challenge: Challenge, held: Held) -> list[Finding]:
        """The findings about the challenge whose gesture was met."""
        position = self.challenges.index(challenge)
        # The pause before the reveal belongs to it: an attacker would cut to another recording there.
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
        """Pass a challenge, at `at`, with the gesture that was held; the last pass concludes the session."""
        position = self.challenges.index(challenge)
        self.held = None
        self.findings += held.findings
        challenge.passed_at, challenge.confidence = held.at, held.confidence
        self._record_event(
            "session.challenge_passed", held.at, challenge=str(challenge.type), confidence=held.confidence
        )
        upcoming = self.current
        if upcoming is not None:
            pauses = self.options.pauses
            upcoming.started_at = at + (pauses[position] if position < len(pauses) else 0.0)
        else:
            self._conclude(at, weighing)

    def _verdict(self, held: Held | None, weighing: Weighing) -> Verdict:
        """The verdict on all findings so far, with those of a held pass."""
        unidentified = [] if self.identity is None else self.identity.unidentified()
        scored = [] if self.passive is None else self.passive.findings()
        findings = [*self.findings, *(held.findings if held else ()), *unidentified, *scored]
        return weighing.weigh(findings, [c.type for c in self.challenges])

    def _conclude(self, at: float, weighing: Weighing) -> None:
        verdict = self._verdict(None, weighing)
        if verdict.score < self.threshold(weighing) and (without := self._but_for_the_lost(verdict, weighing)):
            self.findings = without.findings
            self._fail(at, NOT_COMPARED)
            return
        self.findings, self.score = verdict.findings, verdict.score
        self.is_live = verdict.score >= self.threshold(weighing) and not self.terms.attempts_spent
        gravest = verdict.gravest
        reason: str | None = None if self.is_live else Code.UNSEEN if gravest is None else gravest.code
        if self.terms.attempts_spent:
            reason = TOO_MANY_ATTEMPTS
        self._end(State.COMPLETED, at, reason)

    def _but_for_the_lost(self, verdict: Verdict, weighing: Weighing) -> Verdict | None:
        """The verdict without the findings about faces that were to be compared and that no worker compared.

        None if there are none, or if the session would not be live without them either.
        """
        lost = set() if self.identity is None else self.identity.not_compared()
        if not lost:
            return None
        others = [f for f in verdict.findings if f.code is not Code.UNIDENTIFIED or f.challenge not in lost]
        without = weighing.weigh(others, [c.type for c in self.challenges])
        return without if without.score >= self.threshold(weighing) else None

    def _fail(self, at: float, reason: str) -> None:
        self._end(State.FAILED, at, reason)

    def _end(self, state: State, at: float, reason: str | None) -> None:
        self.state, self.ended_at, self.reason = state, at, reason
        if self.identity is not None:
            self.identity.end()
        score = {} if self.score is None else {"score": self.score}
        self._record_event(f"session.{state}", at, is_live=self.is_live, reason=reason, **score, **self.facts)

    def _record_event(self, event_type: str, at: float, **data: Any) -> None:
        self.events.append(Event(event_type, at, data))

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
