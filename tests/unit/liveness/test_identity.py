"""One person all the way: which frames are compared, what follows from the distances, and the pass that waits for them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from shared.liveness.challenge import ChallengeType
from shared.liveness.evidence import FITTED, SWAP_LIMITS, Code, Preset
from shared.liveness.following import breaks_track
from shared.liveness.frame import Frame
from shared.liveness.held import LONGEST_WAIT
from shared.liveness.identity import (
    COMPARE_AGAIN,
    DOUBT_MARGIN,
    LOST_AFTER,
    MOST_PENDING,
    MOST_SAMPLES,
    Identity,
)
from shared.liveness.observation import Observation, Problem
from shared.liveness.session import FrameResult, Session, State
from tests.unit.liveness.people import T0, Person, film, gesture, observe, submit, without_face
from tests.unit.liveness.weights import WEIGHTS

TURN_LEFT, BLINK, SMILE = ChallengeType.TURN_LEFT, ChallengeType.BLINK, ChallengeType.SMILE
LIMIT = SWAP_LIMITS[Preset.STANDARD]
#: Distances of the same person, of one that may be either, and of another.
SAME, DOUBTFUL, OTHER = 0.3, LIMIT + DOUBT_MARGIN / 2, 0.8

#: A face in another place, so of another track, and never fit to be compared.
STRANGER = Person(x=0.8, yaw=38.0)


def opened(*types: ChallengeType, preset: Preset = Preset.STANDARD, timeout: float = 5.0) -> Session:
    return Session.open("s", list(types), timeout_seconds=timeout, at=T0 - 1, ttl=300, preset=preset, identify=True)


def asked(session: Session) -> list[str]:
    """Ids of the frames whose distance is waited for."""
    assert session.identity is not None
    return [s.frame_id for s in session.identity.samples if s.distance is None]


def samples(session: Session) -> list[float]:
    """Seconds of the film at which samples were taken."""
    assert session.identity is not None
    return [s.at - T0 for s in session.identity.samples]


def watched(
    session: Session, frames: Sequence[Frame], far: Callable[[Frame], float | None], delay: int = 1
) -> list[FrameResult]:
    """Plays frames; the distance of one that is asked for comes `delay` frames later, by `far`; None: never."""
    by_id = {f.id: f for f in frames}
    results, under_way = [], list[tuple[int, str, float]]()
    for number, frame in enumerate(frames):
        while under_way and under_way[0][0] <= number:
            _, frame_id, distance = under_way.pop(0)
            session.take_distance(frame_id, distance, frame.at)
        results.append(submit(session, frame))
        if session.awaits_distance(frame.id) and (distance := far(by_id[frame.id])) is not None:
            under_way.append((number + delay, frame.id, distance))
    return results


def first_is_anchor(frames: Sequence[Frame], later: float) -> Callable[[Frame], float]:
    return lambda frame: 0.0 if frame is frames[0] else later


def later(frames: Sequence[Frame], seconds: float, name: str) -> list[Frame]:
    return [replace(f, id=f"{name}{f.id}", at=f.at + seconds) for f in frames]


def turn_and_blink(seconds: float = 6) -> list[Frame]:
    return film(Person(), gesture(TURN_LEFT, 1.0), gesture(BLINK, 3.5), seconds=seconds)


# --- which frames -------------------------------------------------------------------------------------------------------


def test_the_first_good_frame_is_compared_at_once():
    """A session of one blink may be over within a second."""
    session = opened(BLINK)
    submit(session, film(Person(), seconds=0.1)[0])
    assert asked(session) == ["f0"]


@pytest.mark.parametrize(
    "unfit",
    [
        without_face(),
        observe(faces=2, problem=Problem.SEVERAL_FACES),
        observe(problem=Problem.TOO_BLURRED),
        observe(yaw=30.0),
        observe(pitch=-2.0),
        observe(box=(-0.1, 0.2, 0.3, 0.35)),
        observe(box=(0.8, 0.2, 0.3, 0.35)),
    ],
)
def test_a_frame_that_shows_too_little_is_not(unfit: Observation):
    """All others are compared with the first one: it must look at the camera, whole and alone."""
    session = opened(BLINK)
    submit(session, Frame("f", T0, unfit))
    assert asked(session) == []


def test_whose_camera_stands_aside_is_compared_after_a_while():
    """Better a turned face than none."""
    session = opened(BLINK, timeout=20)
    for frame in film(Person(yaw=28.0), seconds=3):
        submit(session, frame)
    assert samples(session)[0] == pytest.approx(2.0, abs=0.13)


def test_each_challenge_has_a_sample_of_its_own_and_a_long_one_several():
    """The earliest good frame after the pass before it, and fresh ones after that."""
    session = opened(TURN_LEFT, BLINK, timeout=20)
    frames = film(Person(), gesture(TURN_LEFT, 1.0), seconds=8)
    watched(session, frames, first_is_anchor(frames, SAME))
    passed = session.challenges[0].passed_at
    assert passed is not None
    at = samples(session)
    in_second = [s for s in at if s > passed - T0]
    assert at[0] == 0
    assert in_second[0] < passed - T0 + 2.0
    assert [b - a >= COMPARE_AGAIN for a, b in itertools.pairwise(in_second)] == [True] * (len(in_second) - 1)
    assert len(in_second) in (2, 3)


@pytest.mark.parametrize(
    "between",
    [
        pytest.param([(0.125, without_face())], id="lost for a frame"),
        pytest.param([(0.125, observe(faces=2, problem=Problem.SEVERAL_FACES))], id="not alone for a frame"),
        pytest.param([(1.2, observe())], id="nothing seen for a second"),
        pytest.param([(0.125, observe(box=(0.5, 0.2, 0.3, 0.35)))], id="jumped"),
        pytest.param([(0.125, observe(scale=0.14))], id="grew"),
    ],
)
def test_after_a_break_the_face_is_compared_anew(between):
    """What cannot be followed may be somebody else."""
    session = opened(TURN_LEFT, timeout=20)
    at = T0
    for number in range(4):
        submit(session, Frame(f"a{number}", at, observe()))
        at += 0.125
    session.take_distance("a0", 0.0, at)
    for number, (after, seen) in enumerate(between):
        at += after - 0.125
        submit(session, Frame(f"b{number}", at, seen))
        at += 0.125
    submit(session, Frame("c", at, between[-1][1] if between[-1][1].usable else observe()))
    assert session.identity is not None
    assert session.identity.track > 0
    assert len(session.identity.samples) == 2


def test_a_head_that_turns_is_one_track():
    """As is one that smiles, comes closer slowly, or trembles."""
    frames = turn_and_blink()
    assert not any(breaks_track(a, b) for a, b in itertools.pairwise(frames))


def test_a_comparison_that_does_not_come_is_asked_for_anew_but_not_without_end():
    """A worker that died; or that nobody started."""
    session = opened(TURN_LEFT, timeout=60)
    watched(session, film(Person(), seconds=9), lambda _: None)
    at = samples(session)
    assert at[0] == 0
    assert all(b - a >= min(LOST_AFTER, COMPARE_AGAIN) for a, b in itertools.pairwise(at))
    assert 3 <= len(at) <= 5


def test_a_client_cannot_have_faces_compared_without_end():
    """A face that flickers breaks its track with each frame."""
    session = opened(TURN_LEFT, timeout=60)
    for number in range(600):
        at = T0 + number * 0.1
        submit(session, Frame(f"f{number}", at, observe(box=(0.1 + 0.3 * (number % 2), 0.2, 0.3, 0.35))))
        assert session.identity is not None
        assert sum(s.is_pending(at) for s in session.identity.samples) <= MOST_PENDING
    assert len(session.identity.samples) <= MOST_SAMPLES


def test_an_overtaken_frame_is_no_sample_and_its_break_counts():
    """Frames of one session are measured at once: the newest one's face is the one that is followed."""
    session = opened(TURN_LEFT)
    for name, after in (("f0", 0.0), ("f2", 0.25)):
        submit(session, Frame(name, T0 + after, observe()))
    submit(session, Frame("f1", T0 + 0.125, observe(box=(0.65, 0.2, 0.3, 0.35))))
    assert session.identity is not None
    assert session.identity.track == 1
    assert [s.frame_id for s in session.identity.samples] == ["f0"]


def test_without_it_nothing_is_asked_for():
    """IDENTITY=off."""
    session = Session.open("s", [BLINK], timeout_seconds=5, at=T0 - 1, ttl=300)
    submit(session, film(Person(), seconds=0.1)[0])
    assert not session.awaits_distance("f0")
    session.take_distance("f0", 1.0, T0)
    assert session.state is State.IN_PROGRESS


# --- what follows -------------------------------------------------------------------------------------------------------


def test_one_person_all_the_way_is_live():
    """And the distances are on record."""
    session = opened(TURN_LEFT, BLINK)
    frames = turn_and_blink()
    results = watched(session, frames, first_is_anchor(frames, SAME))
    assert session.is_live is True
    assert [r.passed for r in results].count(True) == 2
    assert {f.challenge: f.score for f in session.findings if f.code is Code.SWAPPED} == {0: 0.0, 1: SAME}
    assert not [f for f in session.findings if f.code is Code.UNIDENTIFIED]


def test_another_person_ends_the_session_at_once():
    """Reason and event are for the server's side."""
    session = opened(TURN_LEFT, BLINK)
    frames = turn_and_blink()
    results = watched(session, frames, first_is_anchor(frames, OTHER))
    assert (session.state, session.reason, session.is_live) == (State.FAILED, "identity_swap", None)
    assert session.events[-1].type == "session.failed"
    assert session.events[-1].data["reason"] == "identity_swap"
    assert (results[-1].state, results[-1].is_live, results[-1].challenge_type) == (State.FAILED, None, None)
    assert [f.score for f in session.findings if f.code is Code.SWAPPED and f.challenge == 1] == [OTHER]


@pytest.mark.parametrize(("second", "live"), [(SAME, True), (0.56, None)])
def test_one_doubtful_distance_is_decided_by_another_sample(second, live):
    """A picture in motion, half-closed eyes: one bad sample is nobody's fault."""
    session = opened(TURN_LEFT, BLINK)
    frames = film(Person(), gesture(TURN_LEFT, 1.0), gesture(BLINK, 5.0), seconds=8)
    distances = iter([0.0, DOUBTFUL, second, SAME, SAME])
    watched(session, frames, lambda _: next(distances))
    assert session.is_live is live
    assert session.state is (State.COMPLETED if live else State.FAILED)
    if live:
        assert max(f.score for f in session.findings if f.code is Code.SWAPPED) == SAME


def test_a_doubt_that_nothing_decides_is_not_live():
    """The person left, or the worker died: what is there counts."""
    session = opened(TURN_LEFT, BLINK)
    frames = film(Person(), gesture(TURN_LEFT, 1.0), gesture(BLINK, 4.0), seconds=8)
    distances = iter([0.0, DOUBTFUL])
    watched(session, frames, lambda _: next(distances, None))
    assert (session.state, session.is_live, session.reason) == (State.COMPLETED, False, Code.SWAPPED)


def test_a_limit_is_the_presets():
    """What standard takes for another person, lenient does not."""
    between = (SWAP_LIMITS[Preset.LENIENT] + LIMIT) / 2
    for preset, state in ((Preset.LENIENT, State.COMPLETED), (Preset.STANDARD, State.FAILED)):
        session = opened(TURN_LEFT, BLINK, preset=preset)
        frames = turn_and_blink(8)
        watched(session, frames, first_is_anchor(frames, between))
        assert session.state is state


def test_a_distance_counts_once_and_only_if_it_was_asked_for():
    """The queue delivers at least once."""
    session = opened(TURN_LEFT, BLINK)
    submit(session, film(Person(), seconds=0.1)[0])
    session.take_distance("f0", 0.1, T0 + 0.1)
    session.take_distance("f0", OTHER, T0 + 0.2)
    session.take_distance("another", OTHER, T0 + 0.2)
    assert session.state is State.IN_PROGRESS
    assert [f.score for f in session.findings] == [0.1]


def test_a_distance_changes_nothing_after_the_end():
    """A verdict that was given stands."""
    session = opened(TURN_LEFT)
    submit(session, film(Person(), seconds=0.1)[0])
    session.tick(T0 + 60)
    before = replace(session)
    session.take_distance("f0", OTHER, T0 + 61)
    assert before == session


# --- the pass that waits ------------------------------------------------------------------------------------------------


def test_the_last_pass_waits_for_a_comparison_that_is_out():
    """The gesture stays met: the first frame after the comparison completes the session, whatever it shows."""
    session = opened(BLINK)
    frames = film(Person(), gesture(BLINK, 0.6), seconds=4)
    results = [submit(session, f) for f in frames[:17]]
    assert not any(r.passed for r in results)
    assert (results[-1].challenges_remaining, results[-1].hint and results[-1].hint.code) == (1, "hold_still")
    assert results[-1].confidence >= 0.5
    session.take_distance("f0", 0.0, frames[17].at)
    last = submit(session, frames[17])
    assert (last.passed, last.state, last.is_live, last.challenges_remaining) == (True, State.COMPLETED, True, 0)
    assert last.challenge_type is BLINK
    held = session.challenges[0].passed_at
    assert held is not None
    assert held < frames[16].at <= session.ended_at


def test_a_challenge_that_is_not_the_last_does_not_wait_for_comparisons():
    """There is time until the verdict."""
    session = opened(TURN_LEFT, BLINK)
    results = [submit(session, f) for f in turn_and_blink()[:24]]
    assert [r.passed for r in results].count(True) == 1


@pytest.mark.parametrize("preset", Preset)
def test_without_comparisons_the_wait_ends_and_says_so(preset):
    """No worker compares: the session completes after a while, and nobody knows who it was."""
    session = opened(BLINK, preset=preset)
    results = watched(session, film(Person(), gesture(BLINK, 0.6), seconds=6), lambda _: None)
    assert (session.state, session.is_live, session.reason) == (State.FAILED, None, "not_compared")
    assert not session.fell_short, "it is no failure of the person's"
    assert session.challenges[0].passed_at is not None
    assert session.ended_at - session.challenges[0].passed_at == pytest.approx(LONGEST_WAIT, abs=0.13)
    assert [r.passed for r in results].count(True) == 1
    assert not [f for f in session.findings if f.code is Code.UNIDENTIFIED]


def test_that_nobody_compared_weighs_what_the_weights_say():
    """It is one finding among others: where it weighs nothing, a person is live without it."""
    curves = {code: curve for code, curve in WEIGHTS.curves.items() if code is not Code.UNIDENTIFIED}
    session = opened(BLINK)
    for frame in film(Person(), gesture(BLINK, 0.6), seconds=6):
        submit(session, frame, weighing=replace(WEIGHTS, curves=curves))
    assert (session.state, session.is_live) == (State.COMPLETED, True)
    assert [f.bits for f in session.findings if f.code is Code.UNIDENTIFIED] == [0]


def test_a_pass_that_waits_is_not_timed_out():
    """It was there before the deadline."""
    session = opened(BLINK, timeout=1.5)
    frames = film(Person(), gesture(BLINK, 0.6), seconds=5)
    watched(session, frames, lambda _: 0.0, delay=18)
    assert (session.state, session.is_live) == (State.COMPLETED, True)
    assert session.ended_at > session.challenges[0].deadline


def test_the_clock_completes_what_waits_when_no_frame_comes():
    """A client that went away after its gesture."""
    session = opened(BLINK)
    for frame in film(Person(), gesture(BLINK, 0.6), seconds=2):
        submit(session, frame)
    assert session.held is not None
    due = session.due
    assert due == session.held.at + LONGEST_WAIT + 1
    session.tick(due - 0.1, WEIGHTS)
    assert session.state is State.IN_PROGRESS
    session.tick(due, WEIGHTS)
    assert (session.state, session.is_live, session.ended_at) == (State.FAILED, None, due)


def test_who_turned_away_is_asked_to_look_straight():
    """Nothing is out, and a good frame is wanted."""
    session = opened(TURN_LEFT, BLINK)
    frames = turn_and_blink()
    watched(session, [f for f in frames if f.at < T0 + 2.5], first_is_anchor(frames, SAME))
    assert session.remaining == 1
    turned = film(STRANGER, gesture(BLINK, 1.0), seconds=3)
    results = watched(session, later(turned, 2.5, "t"), lambda _: SAME)
    assert "look_straight" in [r.hint.code for r in results if r.hint]
    assert not any(r.passed for r in results[:14])


def until_the_second_challenge(*types: ChallengeType) -> Session:
    session = opened(*types)
    frames = film(Person(), gesture(TURN_LEFT, 1.0), seconds=3)
    watched(session, frames, first_is_anchor(frames, SAME))
    assert [c.passed_at is None for c in session.challenges] == [False] + [True] * (len(types) - 1)
    return session


def a_stranger_blinks(session: Session, seconds: float = 2.5) -> list[FrameResult]:
    """A face that came after a break, and never looks at the camera, meets the second challenge."""
    blink = film(STRANGER, gesture(BLINK, 0.5), seconds=seconds, seed=1)
    return watched(session, later(blink, 3, "o"), lambda _: SAME)


@pytest.mark.parametrize("types", [(TURN_LEFT, BLINK), (TURN_LEFT, BLINK, SMILE)], ids=["last", "not the last"])
def test_a_gesture_of_a_face_that_came_and_went_uncompared_is_to_be_made_again(types):
    """Somebody else's face may have met the challenge: what one track showed does not vouch for another."""
    session = until_the_second_challenge(*types)
    met = a_stranger_blinks(session)
    assert session.held is not None
    assert "look_straight" in [r.hint.code for r in met if r.hint]
    back, *again = watched(
        session, later(film(Person(), gesture(BLINK, 0.5), seconds=3, seed=2), 5.5, "b"), lambda _: SAME
    )
    assert (back.passed, back.challenge_type, back.hint and back.hint.code) == (False, BLINK, "look_straight")
    assert any(r.passed and r.challenge_type is BLINK for r in again)
    assert session.identity is not None
    assert session.identity.unidentified() == []


def test_a_gesture_of_a_face_that_stays_and_cannot_be_compared_is_to_be_made_again_after_the_wait():
    """A face that never looks at the camera may be anybody's."""
    session = until_the_second_challenge(TURN_LEFT, BLINK)
    results = a_stranger_blinks(session, seconds=5)
    assert not any(r.passed for r in results)
    assert session.state is State.IN_PROGRESS
    assert session.held is None
    started = session.challenges[1].started_at
    assert started is not None
    assert started > T0 + 3 + LONGEST_WAIT, "its time starts over"


def test_a_face_that_is_shown_after_the_wait_comes_too_late():
    """A frame after the wait does as the clock would: the time starts over at the end of the wait."""
    session = until_the_second_challenge(TURN_LEFT, BLINK)
    a_stranger_blinks(session)
    assert session.held is not None
    until = session.held.until
    newest = session.frames[-1].at
    frames = later(film(STRANGER, seconds=until - newest + 0.2, seed=1)[1:], newest - T0, "t")
    straight = film(Person(x=0.8), seconds=0.1)[0]
    back = replace(straight, id="back", at=until + 0.1)
    results = watched(session, [*(f for f in frames if f.at < until), back], lambda _: SAME)
    assert not any(r.passed for r in results)
    assert session.held is None
    assert session.challenges[1].started_at == until


def test_silence_after_a_strangers_gesture_is_a_gesture_not_made():
    """A client that falls silent after somebody else's gesture gains nothing."""
    session = until_the_second_challenge(TURN_LEFT, BLINK)
    a_stranger_blinks(session)
    assert session.held is not None
    until = session.held.until
    while (due := session.due) is not None:
        session.tick(due, FITTED)
    assert (session.state, session.is_live, session.reason) == (State.FAILED, None, "timed_out")
    assert session.ended_at == pytest.approx(until + 5.0)


def test_a_face_that_met_the_first_challenge_uncompared_is_asked_again():
    """Another one could take over before the first comparison."""
    session = opened(BLINK, TURN_LEFT, timeout=20)
    watched(session, film(Person(yaw=38.0), gesture(BLINK, 0.6), seconds=6), lambda _: SAME)
    assert session.identity is not None
    assert session.identity.samples == []
    assert (session.held, session.remaining, session.state) == (None, 2, State.IN_PROGRESS)


def test_a_single_challenge_without_a_first_face_is_not_asked_again():
    """Nobody could have taken over from nobody: it only weighs that no face could be compared."""
    session = opened(BLINK, timeout=20)
    watched(session, film(Person(yaw=38.0), gesture(BLINK, 0.6), seconds=6), lambda _: SAME)
    assert session.identity is not None
    assert session.identity.samples == []
    assert session.state is State.COMPLETED
    assert [f.challenge for f in session.identity.unidentified()] == [0]


def test_a_face_from_before_the_pass_before_does_not_count_for_the_next_challenge():
    """A face put exactly into the place of another does not break the track."""
    identity = Identity(LIMIT)
    frame = Frame("f", T0, observe())
    assert identity.see(frame, [frame], 0, T0 + 3)
    identity.take_distance("f", 0.0)
    identity.gesture_met()
    assert identity.is_complete(T0 + 0.5)
    identity.gesture_met()
    assert not identity.is_complete(T0 + 0.5)
    assert [f.challenge for f in identity.unidentified()] == [1]


def test_a_later_face_of_the_same_track_counts_for_an_earlier_challenge():
    """Who met it is still there."""
    identity = Identity(LIMIT)
    frames = [Frame(f"f{n}", T0 + n * 0.125, observe()) for n in range(30)]
    identity.gesture_met()
    assert identity.see(frames[0], frames[:1], 1, T0 + 3)
    identity.take_distance("f0", 0.0)
    identity.gesture_met()
    assert identity.unidentified() == []


def test_a_face_whose_eyes_were_not_looked_at_is_not_compared() -> None:
    """They might be closed; one of the next frames is compared."""
    session = opened(TURN_LEFT)
    frames = film(Person(), seconds=2.0)
    unseen = [replace(f, observation=replace(f.observation, eyes_seen=i % 3 == 2)) for i, f in enumerate(frames)]
    for frame in unseen:
        submit(session, frame)
    assert session.identity is not None
    taken = {s.frame_id for s in session.identity.samples}
    assert taken
    assert taken <= {f.id for f in unseen if f.observation.eyes_seen}


@pytest.mark.parametrize("preset", list(Preset))
def test_a_clearly_small_distance_weighs_nothing_even_if_it_were_larger_by_what_a_mirror_image_changes(preset) -> None:
    """The mirror image changes a distance by 0.03 at most (docs/performance.md)."""
    identity = Identity(SWAP_LIMITS[preset])
    distances = np.arange(0.0, 1.0, 0.005)
    clear = [float(d) for d in distances if identity.is_clearly_same(float(d))]
    assert clear
    assert max(clear) + 0.08 < identity.limit
    assert all(curve(max(clear) + 0.08) == curve(0.0) for curve in FITTED.curves[Code.SWAPPED].values())
