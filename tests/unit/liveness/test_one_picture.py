"""One photo that is animated: its skin stays, and so do its eyes."""

from __future__ import annotations

import pytest

from shared.liveness.challenge import ChallengeType
from shared.liveness.evidence import Code, examine
from shared.liveness.evidence.one_picture import one_picture
from shared.liveness.evidence.staring import staring
from shared.liveness.frame import Frame
from shared.liveness.observation import Problem
from tests.unit.liveness.people import T0, observe


def film(count: int = 20, **courses) -> list[Frame]:
    """Frames ten a second; each course gives a field's value by the frame's number."""
    return [
        Frame(str(i), T0 + i / 10, observe(**{k: course(i) for k, course in courses.items()})) for i in range(count)
    ]


def test_skin_that_stays_is_one_picture_and_the_more_it_changes_the_less() -> None:
    scores = [one_picture(film(skin=lambda _, s=s: s), T0) for s in (0.0, 0.002, 0.006, 0.02)]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] == 1
    assert scores[-1] < 0.2


def test_at_what_most_animated_photos_show_it_is_one_half() -> None:
    assert one_picture(film(skin=lambda _: 0.0015), T0) == pytest.approx(0.5)


def test_a_photo_comes_back_to_its_picture_and_a_face_never_does() -> None:
    """Where it is moved far, even a photo's skin changes: two frames in five that show it as it was tell."""
    photo = one_picture(film(skin=lambda i: 0.001 if i % 5 < 2 else 0.02), T0)
    assert photo == one_picture(film(skin=lambda _: 0.001), T0) == pytest.approx(0.6)
    alive = one_picture(film(skin=lambda i: 0.001 if i % 5 == 0 else 0.02), T0)
    assert alive < 0.1


def test_a_single_bad_picture_changes_nothing() -> None:
    assert one_picture(film(skin=lambda i: 0.2 if i == 7 else 0.001), T0) == pytest.approx(0.6)


def test_little_that_was_compared_is_no_evidence() -> None:
    assert one_picture([], T0) is None
    assert one_picture(film(skin=lambda i: 0.001 if i < 3 else None), T0) is None


def test_a_quick_answer_is_judged_with_what_came_before_it() -> None:
    frames = film(skin=lambda _: 0.001)
    assert one_picture(frames, frames[-1].at) == one_picture(frames, T0)


def test_eyes_that_stay_stare_and_eyes_that_read_do_not() -> None:
    fixed = staring(film(gaze=lambda i: (0.1 + 0.001 * (i % 3), 0.0)), T0)
    reading = staring(film(gaze=lambda i: (0.02 * (i % 5), 0.01 * (i % 2))), T0)
    assert fixed > 0.8
    assert reading < 0.4


def test_where_lids_hide_the_eyes_nothing_is_looked_at() -> None:
    """A blink throws the iris's place about: that is no gaze."""
    blinking = film(
        gaze=lambda i: (0.3, 0.3) if i % 3 == 0 else (0.1, 0.0),
        left_eye=lambda i: 0.1 if i % 3 == 0 else 0.3,
        right_eye=lambda i: 0.1 if i % 3 == 0 else 0.3,
    )
    assert staring(blinking, T0) == 1


@pytest.mark.parametrize("frames", [[], film(4, gaze=lambda _: (0.0, 0.0)), film(gaze=lambda _: None)])
def test_few_open_eyes_are_no_evidence(frames) -> None:
    assert staring(frames, T0) is None


def test_frames_that_cannot_be_used_do_not_count() -> None:
    assert staring(film(gaze=lambda _: (0.0, 0.0), problem=lambda _: Problem.TOO_BLURRED), T0) is None


def test_both_are_among_the_findings() -> None:
    frames = film(skin=lambda _: 0.0, gaze=lambda _: (0.0, 0.0))
    found = examine(frames, [ChallengeType.SMILE], since=T0, met=T0 + 1, opening_until=T0 + 1)
    assert {f.code: f.score for f in found if f.code in (Code.ONE_PICTURE, Code.STARING)} == {
        Code.ONE_PICTURE: 1,
        Code.STARING: 1,
    }
