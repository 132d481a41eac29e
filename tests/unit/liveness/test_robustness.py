"""What must make no difference: noise, frame losses, doubles and delays, size and place, a mirror."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.liveness.challenge import OPPOSITES, ChallengeType
from shared.liveness.frame import Frame
from shared.liveness.observation import Problem
from tests.unit.liveness.people import PEOPLE, T0, Person, film, first_pass, gesture, opened, play, without_face

KINDS = st.sampled_from(ChallengeType)
SEEDS = st.integers(0, 2**32 - 1)
RATES = st.sampled_from([5, 8, 10, 15])
FEW = settings(max_examples=25, deadline=None, derandomize=True)
ONSET = 1.5


def acted(kind: ChallengeType, fps: float, seed: int, **how: object) -> list[Frame]:
    """A person's answer to a challenge, with a rest before and after."""
    return film(Person(), gesture(kind, ONSET), seconds=ONSET + 3, fps=fps, seed=seed, **how)


@pytest.mark.parametrize("kind", ChallengeType)
@settings(max_examples=6, deadline=None, derandomize=True)
@given(person=st.sampled_from(sorted(PEOPLE)), fps=RATES, seed=SEEDS)
def test_trembling_landmarks_pass_nothing(kind, person, fps, seed):
    """Someone who holds still for a quarter of a minute meets no challenge, however long they are watched."""
    assert first_pass(kind, film(PEOPLE[person], seconds=15, fps=fps, seed=seed)) is None


@FEW
@given(KINDS, st.sampled_from([8, 10, 15]), SEEDS)
def test_lost_frames_cost_moments_not_the_challenge(kind, fps, seed):
    """A third of the frames may get lost on the way, as long as the gesture is seen at all."""
    chance = np.random.default_rng(seed)
    kept = [f for f in acted(kind, fps, seed) if chance.random() > 1 / 3]
    in_it = [f for f in kept if ONSET < f.at - kept[0].at < ONSET + 1.2]
    passed = first_pass(kind, kept)
    if kind is not ChallengeType.BLINK and len(in_it) >= 5:
        assert passed is not None
        assert passed <= ONSET + 1.6
    assert passed is None or passed > ONSET


@FEW
@given(KINDS, RATES, SEEDS)
def test_frames_in_which_the_face_is_lost_are_like_lost_frames(kind, fps, seed):
    """The judges see the usable frames only; what is between them changes nothing."""
    chance = np.random.default_rng(seed)
    frames = acted(kind, fps, seed)
    blind = [f if chance.random() > 0.2 else replace(f, observation=without_face()) for f in frames]
    seen = [f for f in blind if f.observation.usable]
    assert first_pass(kind, blind) == first_pass(kind, seen)


@FEW
@given(KINDS, RATES, SEEDS, st.sampled_from([0.0, 0.01, 0.05]))
def test_doubled_frames_change_nothing(kind, fps, seed, later):
    """Each frame sent twice passes when the frames sent once do, or with the double of that one."""
    once = acted(kind, fps, seed)
    twice = [replace(f, id=f"{f.id}{n}", at=f.at + n * later) for f in once for n in range(2)]
    one, other = first_pass(kind, once), first_pass(kind, twice)
    assert one is not None
    assert other is not None
    assert one - 1 / fps - 1e-6 <= other <= one + later + 1e-6


@FEW
@given(KINDS, RATES, SEEDS)
def test_delayed_frames_are_judged_by_when_they_arrived(kind, fps, seed):
    """Frames that workers finish in another order than they arrived in pass within a frame of where they would."""
    frames = acted(kind, fps, seed)
    chance = np.random.default_rng(seed)
    # The first stays first: it starts the clock.
    delays = np.arange(len(frames)) + np.append(-1.0, chance.uniform(0, 1.9, len(frames) - 1))
    shuffled = [frames[i] for i in np.argsort(delays)]
    session, late = opened(kind, timeout=60), opened(kind, timeout=60)
    play(session, frames)
    play(late, shuffled, none_earlier=False)
    assert late.challenges[0].passed_at == pytest.approx(session.challenges[0].passed_at, abs=2.01 / fps)


@FEW
@given(KINDS, SEEDS, st.floats(0.35, 2.0), st.floats(0.2, 0.8))
def test_size_and_place_of_the_face_change_nothing(kind, seed, larger, x):
    """Near or far, in the middle or at the edge: the same movement gives the same answers."""
    usual = film(Person(), gesture(kind, ONSET), seconds=4, seed=seed)
    other = film(Person(scale=0.1 * larger, x=x), gesture(kind, ONSET), seconds=4, seed=seed)
    answers = [[(r.passed, r.confidence, r.hint) for r in play(opened(kind), frames)] for frames in (usual, other)]
    assert answers[0] == answers[1]


@pytest.mark.parametrize("kind", ChallengeType)
@pytest.mark.parametrize("problem", [Problem.SEVERAL_FACES, Problem.TOO_DARK])
def test_what_is_shown_in_unusable_frames_counts_for_nothing(kind, problem):
    """A gesture that was only seen beside another person, or in the dark, was not seen."""
    frames = acted(kind, 8, 0)
    unusable = [replace(f, observation=replace(f.observation, problem=problem)) for f in frames if f.at > T0 + ONSET]
    frames[-len(unusable) :] = unusable
    usable_again = film(Person(), seconds=1, seed=1)
    after = [replace(f, id=f"after {f.id}", at=f.at + 4.6) for f in usable_again]
    assert first_pass(kind, frames + after) is None


def in_mirror(frames: list[Frame]) -> list[Frame]:
    """As vision measures the mirrored pictures."""
    return [replace(f, observation=replace(f.observation, face=f.observation.face.mirrored())) for f in frames]


@FEW
@given(KINDS, SEEDS)
def test_a_session_of_mirrored_frames_is_judged_as_if_there_were_no_mirror(kind, seed):
    """`mirrored=true` swaps left and right and nothing else: every answer is the same."""
    frames = acted(kind, 8, seed)
    plain, mirrored = opened(kind), opened(kind, mirrored=True)
    assert play(plain, frames) == play(mirrored, in_mirror(frames))


@pytest.mark.parametrize("kind", ChallengeType)
def test_in_a_mirror_nobody_told_of_left_is_right(kind):
    """Mirrored frames of a session that was not opened for them answer the opposite turn; all else is as it was."""
    frames = in_mirror(acted(kind, 8, 0))
    shown = OPPOSITES[kind] if kind in (ChallengeType.TURN_LEFT, ChallengeType.TURN_RIGHT) else kind
    assert first_pass(shown, frames) is not None
    if shown is not kind:
        assert first_pass(kind, frames) is None


def test_what_a_session_keeps_is_what_the_mirror_showed():
    """Frames are remembered as they are judged, so that they need no second look at the mirror when recalled."""
    session = opened(ChallengeType.TURN_LEFT, mirrored=True)
    frame = film(Person(yaw=10.0, tremble=0), seconds=0.1)[0]
    session.submit(frame.id, frame.observation, frame.at)
    assert session.frames[0].observation.face.yaw == -10.0


@pytest.mark.parametrize("person", PEOPLE)
def test_a_broken_fit_now_and_then_does_not_cost_the_gesture(person):
    """One frame in ten with measures from nowhere leaves the person's neutral, and so the gesture, where it was."""
    chance = np.random.default_rng(5)
    for kind in ChallengeType:
        frames = film(PEOPLE[person], gesture(kind, 2.0), seconds=5, fps=10)
        wild = {3, 9, 15}
        broken = [
            f if i not in wild
            else replace(f, observation=replace(f.observation, face=replace(
                f.observation.face, yaw=chance.uniform(-15, 15), mouth_width=chance.uniform(0.7, 1.2),
                left_eye=chance.uniform(0.2, 0.6), right_eye=chance.uniform(0.2, 0.6))))
            for i, f in enumerate(frames)
        ]  # fmt: skip
        assert first_pass(kind, broken) is not None, kind
