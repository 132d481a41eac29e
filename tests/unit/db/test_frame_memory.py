from __future__ import annotations

from shared.db import frame_memory
from shared.db.frame_memory import FrameMemory, window
from shared.liveness.frame import Frame
from shared.liveness.observation import Observation


def frames(*times: float) -> list[Frame]:
    return [Frame(f"f{at}", at, Observation(faces=1)) for at in times]


def times(found: list[Frame]) -> list[float]:
    return [frame.at for frame in found]


class TestWindow:
    """What of all frames is needed: the same as `SessionRepository.load_frames` asks the database for."""

    def test_both_bounds_belong_to_it(self) -> None:
        assert times(window(frames(1, 2, 3, 4, 5, 6), until=2, since=5)) == [1, 2, 5, 6]

    def test_what_is_opening_and_recent_comes_once(self) -> None:
        assert times(window(frames(1, 2, 3), until=2, since=1)) == [1, 2, 3]

    def test_the_newest_of_each_where_there_are_too_many(self) -> None:
        opening = [i / 100 for i in range(frame_memory.OPENING_FRAMES + 5)]
        recent = [10 + i / 100 for i in range(frame_memory.RECENT_FRAMES + 5)]
        assert times(window(frames(*opening, *recent), until=5, since=0)) == opening[5:] + recent[5:]

    def test_no_frames(self) -> None:
        assert window([], until=1, since=2) == []


class TestFrameMemory:
    """It stays small."""

    def test_forgets_what_was_judged_longest_ago(self) -> None:
        known, long = FrameMemory(), frames(*range(frame_memory.MOST_FRAMES - 1))
        most = frame_memory.MOST_IN_ALL // frame_memory.MOST_FRAMES
        for number in range(most):
            known.keep(str(number), long)
        assert known.of("0") == long
        known.keep("0", frames(0, 1))
        known.keep("newer", frames(1))
        assert known.of("1") == long, "one has become shorter: there is room"
        known.keep("newest", long)
        assert known.of("1") is None
        assert known.of("2") == long
        assert times(known.of("0") or []) == [0, 1]
        assert times(known.of("newer") or []) == [1]

    def test_remembers_many_sessions_that_are_short(self) -> None:
        known = FrameMemory()
        for _ in range(2):
            for number in range(200):
                known.keep(str(number), frames(*range(100)))
        assert all(known.of(str(number)) for number in range(200))

    def test_forgets_sessions_without_a_frame_as_well(self) -> None:
        known = FrameMemory()
        for number in range(frame_memory.MOST_IN_ALL + 1):
            known.keep(str(number), [])
        assert known.of("0") is None
        assert known.of("1") == []

    def test_forgets_a_session_that_has_become_too_long(self) -> None:
        known = FrameMemory()
        known.keep("long", frames(1))
        known.keep("long", frames(*range(frame_memory.MOST_FRAMES + 1)))
        assert known.of("long") is None

    def test_forgets_a_session_that_has_ended(self) -> None:
        known, long = FrameMemory(), frames(*range(frame_memory.MOST_FRAMES - 1))
        most = frame_memory.MOST_IN_ALL // frame_memory.MOST_FRAMES
        for number in range(most):
            known.keep(str(number), long)
        known.forget("1")
        known.forget("unknown")
        assert known.of("1") is None
        known.keep("another", long)
        assert known.of("0") == long, "its room is there for others"

    def test_forgets_sessions_that_fell_silent(self) -> None:
        known, silence = FrameMemory(), frame_memory.SILENCE
        known.keep("silent", frames(0, 1))
        known.keep("slow", frames(0, 30))
        known.keep("other", frames(1 + silence))
        assert known.of("silent")
        known.keep("other", frames(1 + silence, 2 + silence))
        assert (known.of("silent"), known.of("slow")) == (None, frames(0, 30))
