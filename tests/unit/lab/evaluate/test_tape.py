"""A source that is played several times and made once."""

from __future__ import annotations

from dataclasses import replace

from ops.lab.evaluate.tape import Tape
from ops.lab.evaluate.video import Shot
from shared.liveness.challenge import ChallengeType
from shared.liveness.hints import WAIT
from shared.liveness.session import FrameResult, State


def reply(challenge: ChallengeType = ChallengeType.SMILE, *, passed: bool = False) -> FrameResult:
    return FrameResult("s", challenge, passed, 0.1, 1, False, None, State.IN_PROGRESS)


class Actor:
    """Counts what it has made, and says how many passes it has heard of."""

    def __init__(self, length: int = 6) -> None:
        self.made = 0
        self.length = length

    def source(self):
        passes = 0
        for number in range(self.length):
            self.made += 1
            heard = yield Shot(f"{number}:{passes}".encode())
            passes += bool(heard and heard.passed)


def played(tape: Tape, replies: list[FrameResult]) -> list[bytes]:
    source = tape.play()
    shots = [next(source).data]
    for answer in replies:
        try:
            shots.append(source.send(answer).data)
        except StopIteration:
            break
    return shots


def test_what_was_made_is_not_made_anew() -> None:
    actor = Actor()
    tape = Tape(actor.source)
    first, second = played(tape, [reply()] * 3), played(tape, [reply()] * 3)
    assert first == second == [b"0:0", b"1:0", b"2:0", b"3:0"]
    assert actor.made == 4


def test_it_goes_on_where_the_play_before_has_ended() -> None:
    actor = Actor()
    tape = Tape(actor.source)
    played(tape, [reply()])
    assert played(tape, [reply()] * 9) == [b"0:0", b"1:0", b"2:0", b"3:0", b"4:0", b"5:0"]
    assert actor.made == 6


def test_other_answers_make_another_course_with_all_that_was_heard_before() -> None:
    tape = Tape(Actor().source)
    played(tape, [reply(), reply(), reply(), reply()])
    assert played(tape, [reply(), reply(passed=True), reply()]) == [b"0:0", b"1:0", b"2:1", b"3:1"]
    # And the tape itself is as it was.
    assert played(tape, [reply(), reply(), reply()]) == [b"0:0", b"1:0", b"2:0", b"3:0"]


def test_what_is_left_out_and_what_is_answered_to_nothing_is_on_the_tape_too() -> None:
    def source():
        heard = yield None
        yield Shot(str(heard).encode())
        yield None

    tape = Tape(source)
    for _ in range(2):
        played = tape.play()
        assert [next(played), played.send(None).data, played.send(reply())] == [None, b"None", None]
    assert len(tape._shots) == 3


def test_another_hint_is_another_answer() -> None:
    """Who stops when the answer says to wait must not be played on from a tape that was told to go on."""
    tape = Tape(Actor().source)
    played(tape, [reply()] * 3)
    made = Actor()
    tape._make = made.source
    played(tape, [replace(reply(), hint=WAIT)] * 3)
    assert made.made == 4
