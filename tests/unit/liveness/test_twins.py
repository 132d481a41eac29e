"""Cameras that are slower than the client: each picture is sent two or three times, and that is no attack. A loop is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

import pytest

from shared.liveness.challenge import ChallengeType
from shared.liveness.evidence import FITTED, Code, Finding, examine
from shared.liveness.evidence.repeated import repeated
from shared.liveness.evidence.sight import too_sparse
from shared.liveness.frame import Frame
from shared.liveness.session import State
from shared.liveness.twins import OVERTAKEN_FOR, held, without_twins
from tests.unit.liveness.people import ALIVE, T0, Person, film, gesture, observe, opened, submit

TURN_LEFT, SMILE = ChallengeType.TURN_LEFT, ChallengeType.SMILE
ONSET, END = 1.5, 5.0
DECISIVE = FITTED.decisive[Code.REPEATED]


def shown(pictures: Iterable[str], fps: float = 10.0) -> list[Frame]:
    """A frame for each picture, each a word that stands for its bytes."""
    return [Frame(str(i), T0 + i / fps, observe(digest=picture)) for i, picture in enumerate(pictures)]


def kept(pictures: str, fps: float = 10.0) -> str:
    """The pictures without twins."""
    return "".join(f.observation.digest for f in without_twins(shown(pictures, fps)))


def acted(kind: ChallengeType, fps: float, seed: int = 1) -> list[Frame]:
    """A person's answer to a challenge, before a camera of so many pictures a second."""
    return film(Person(), gesture(kind, ONSET), seconds=END, fps=fps, seed=seed)


def copied(frames: Sequence[Frame], copies: int, fps: float) -> list[Frame]:
    """Each frame as often as a client sends it that does not look whether its camera has a new picture."""
    again = [replace(f, id=f"{f.id}.{n}", at=f.at + n / (fps * copies)) for f in frames for n in range(copies)]
    return measured(again)


def measured(frames: Sequence[Frame]) -> list[Frame]:
    """Frames as vision measures them: nothing has changed in a picture that follows itself."""
    follows = [False, *(a.observation.digest == b.observation.digest for a, b in pairwise(frames))]
    return [
        replace(f, observation=replace(f.observation, stir=0.0)) if again else f
        for f, again in zip(frames, follows, strict=True)
    ]


def overtaking(frames: Sequence[Frame]) -> list[Frame]:
    """The same frames where every second one arrives after the next one, from the second on: two are under way at a time."""
    order = [0, *(i for pair in zip(range(2, len(frames), 2), range(1, len(frames), 2), strict=False) for i in pair)]
    return measured([replace(frames[i], at=frames[slot].at) for slot, i in enumerate(order)])


def findings(frames: Sequence[Frame], kind: ChallengeType = TURN_LEFT) -> dict[Code, float]:
    found: list[Finding] = examine(frames, [kind], since=T0, met=T0 + 2.5, opening_until=T0 + 3, after=0.6)
    return {finding.code: finding.score for finding in found}


def verdict(frames: Iterable[Frame], kind: ChallengeType = TURN_LEFT) -> bool | None:
    """The verdict on a session of one challenge by the service's own weights; None if it was not completed."""
    session = opened(kind, timeout=20.0)
    for frame in frames:
        submit(session, frame, weighing=FITTED)
    return session.is_live if session.state is State.COMPLETED else None


class TestTwins:
    @pytest.mark.parametrize(
        ("pictures", "left"),
        [
            ("abcd", "abcd"),
            ("aabbcc", "abc"),
            ("aaabbbccc", "abc"),
            ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "ab"),
            ("abacbdcd", "abcd"),
            ("abcabcd", "abcd"),
            ("aabababbccdcd", "abcd"),
        ],
        ids=["none", "two of each", "three of each", "frozen", "overtaken", "overtaken twice", "three overtaken"],
    )
    def test_a_picture_that_is_sent_again_is_left_out(self, pictures: str, left: str) -> None:
        assert kept(pictures) == left
        assert repeated(shown(pictures)) == 0

    @pytest.mark.parametrize("period", [1, 2, 3, 5, 8, 20, 30])
    @pytest.mark.parametrize("copies", [1, 2])
    def test_a_loop_is_no_twin(self, period: int, copies: int) -> None:
        """However short it is: of one that is too short to be seen as a loop, only the first few pictures are left."""
        loop = [str(i % period) for i in range(120) for _ in range(copies)]
        score = repeated(shown(loop))
        assert score == 0 if period == 1 else score >= DECISIVE
        if period == 1:
            assert len(without_twins(shown(loop))) == 1

    def test_a_picture_that_comes_back_late_is_no_twin(self) -> None:
        """About a frame a second: a twin may be overtaken by one frame, and not by two."""
        fps = 1 / OVERTAKEN_FOR + 0.1
        assert kept("abaa", fps) == "ab"
        assert kept("abcad", fps) == "abcad"
        assert kept("abcdefa") == "abcdefa"

    def test_twins_of_a_picture_that_came_back_are_twins(self) -> None:
        """Else one old picture, sent for ever, would be seen for as long."""
        assert kept("abcdefg" + "a" * 30) == "abcdefga"

    def test_without_bytes_nothing_is_known(self) -> None:
        assert len(without_twins(shown([""] * 5))) == 5
        assert repeated(shown([""] * 5)) is None


class TestHeld:
    @pytest.mark.parametrize(("fps", "copies"), [(2.0, 5), (3.0, 6), (5.0, 2), (7.0, 3)])
    def test_a_slow_camera_holds_no_picture(self, fps: float, copies: int) -> None:
        assert not held(copied(acted(TURN_LEFT, fps), copies, fps))

    def test_what_is_sent_for_longer_is_held_and_nothing_changes_in_it(self) -> None:
        late = held(shown("abcccccccccd"))
        assert [f.id for f in late] == ["8", "9", "10"]
        assert {(f.observation.stir, f.observation.flex, f.observation.flex_lately) for f in late} == {(0.0, 0.0, 0.0)}

    def test_pictures_that_take_turns_are_held_as_well(self) -> None:
        """An attacker may alternate two copies of a photo that differ in one pixel."""
        assert len(held(shown("ababababab"))) == 4

    def test_pictures_without_a_face_are_not(self) -> None:
        black = replace(observe(digest="black"), face=None, faces=0)
        assert not held([Frame(str(i), T0 + i / 10, black) for i in range(30)])

    def test_a_camera_that_stalls_for_a_moment_does_not_turn_a_person_away(self) -> None:
        frames = acted(TURN_LEFT, 10.0)
        stalled = [replace(frames[5], id=f.id, at=f.at) if 5 < i < 13 else f for i, f in enumerate(frames)]
        assert held(stalled)
        assert verdict(measured(stalled)) is True

    @pytest.mark.parametrize("still", [8, 12])
    def test_photos_that_a_program_turns_into_each_other_cannot_hide_that_they_stand(self, still: int) -> None:
        """Only the pictures in between would be seen, and they live."""
        frames = acted(SMILE, 10.0)
        # Held, moved for six frames, held again, and so on.
        shows = [n for n in range(0, len(frames), 6) for n in [n] * still + list(range(n, n + 6))]
        film_of_photos = [
            replace(frames[min(n, len(frames) - 1)], id=str(i), at=T0 + i / 10) for i, n in enumerate(shows)
        ]
        found = findings(measured(film_of_photos), SMILE)
        assert found[Code.PLANAR] > 0.9
        assert findings(frames, SMILE)[Code.PLANAR] < 0.5


class TestEvidence:
    @pytest.mark.parametrize(("fps", "copies"), [(3.0, 6), (5.0, 2), (7.0, 3)])
    def test_twins_speak_neither_for_nor_against_anybody(self, fps: float, copies: int) -> None:
        once = acted(TURN_LEFT, fps)
        assert findings(copied(once, copies, fps)) == findings(once)

    @pytest.mark.parametrize(("kind", "fps", "copies"), [(TURN_LEFT, 5.0, 2), (SMILE, 7.0, 3), (SMILE, 5.0, 6)])
    def test_people_before_a_slow_camera_are_live(self, kind: ChallengeType, fps: float, copies: int) -> None:
        once = acted(kind, fps)
        assert verdict(once, kind) is True
        assert verdict(copied(once, copies, fps), kind) is True
        assert verdict(overtaking(copied(once, copies, fps)), kind) is True, "two are under way at a time"

    def test_also_where_workers_judge_them_in_another_order(self) -> None:
        """A worker may be done with a twin before another worker is done with the picture's first frame."""
        twice = copied(acted(TURN_LEFT, 5.0), 2, 5.0)
        swapped = [twice[0]]
        for one, other in zip(twice[1::2], twice[2::2], strict=False):
            swapped += [other, one]
        assert verdict(swapped) is True

    def test_no_time_passes_for_a_picture_that_stands(self) -> None:
        """Each picture lasts half a second, so that none could be followed from the one before."""
        slow = acted(TURN_LEFT, 2.0)
        assert findings(copied(slow, 5, 2.0))[Code.UNSEEN] == 1.0
        assert too_sparse(copied(slow, 5, 2.0))

    def test_one_picture_is_no_evidence_of_life(self) -> None:
        one = replace(observe(**ALIVE), digest="one")
        frames = [Frame(str(i), T0 + i / 10, one) for i in range(60)]
        found = findings(frames)
        assert found[Code.UNSEEN] == 1.0
        assert not set(found) & {Code.STIFF, Code.STARING}
        assert found[Code.FROZEN] > FITTED.decisive[Code.FROZEN]
        assert {found[code] for code in (Code.CALM, Code.TEXTURE, Code.ONE_PICTURE, Code.PLANAR)} == {1.0}

    def test_a_looped_recording_of_a_gesture_is_not_live(self) -> None:
        """The person waits in a loop of three seconds, and is filmed doing it in another one."""
        once = acted(TURN_LEFT, 10.0)[:30]
        rounds = [replace(f, id=f"{f.id}.{n}", at=f.at + 3.0 * n) for n in range(4) for f in once]
        twice = copied(rounds, 2, 10.0)
        since = T0 + 4.0
        assert repeated([f for f in rounds if f.at >= since]) >= DECISIVE
        assert repeated([f for f in twice if f.at >= since]) >= DECISIVE
