"""The sequence of frames: one honest client is never refused, films and second programs are."""

from __future__ import annotations

import random
from collections import deque

import pytest

from shared.liveness.sequence import CARRIED, KEPT, LAG, follows


class Chain:
    """What a server knows, and what one client does."""

    def __init__(self) -> None:
        self.issued: list[str] = []
        self.count = 0

    def answer(self) -> str:
        self.count += 1
        nonce = f"n{self.count}"
        self.issued = [nonce, *self.issued][:KEPT]
        return nonce


class Program:
    """A client that sends frames and reads its answers."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.nonces: deque[str] = deque(maxlen=CARRIED)
        self.refused = 0

    def frame(self) -> str | None:
        """Send a frame; the nonce of its answer, None if it is refused."""
        if not follows(set(self.nonces), self.chain.issued):
            self.refused += 1
            return None
        return self.chain.answer()


@pytest.mark.parametrize(("under_way", "lost"), [*((n, 0.0) for n in range(1, 9)), *((n, 0.02) for n in range(1, 6))])
def test_an_honest_client_is_never_refused(under_way: int, lost: float) -> None:
    """With up to eight frames under way, answers that overtake each other, and a few that get lost."""
    chance = random.Random(under_way)
    chain = Chain()
    program = Program(chain)
    coming: list[str] = []
    for _ in range(2000):
        nonce = program.frame()
        assert nonce is not None
        if chance.random() >= lost:
            coming.append(nonce)
        while len(coming) >= under_way:
            program.nonces.appendleft(coming.pop(chance.randrange(min(2, len(coming)))))


def test_a_film_that_was_sent_in_advance_is_refused() -> None:
    chain = Chain()
    film = Program(chain)
    for _ in range(40):
        film.frame()
    assert film.refused == 40 - LAG


def test_a_second_program_cannot_join() -> None:
    chain = Chain()
    first, second = Program(chain), Program(chain)
    for _ in range(20):
        first.nonces.appendleft(first.frame() or "")
    second.frame()
    assert (first.refused, second.refused) == (0, 1)


def test_two_programs_from_the_beginning_are_refused() -> None:
    chain = Chain()
    programs = Program(chain), Program(chain)
    for _ in range(30):
        for program in programs:
            if (nonce := program.frame()) is not None:
                program.nonces.appendleft(nonce)
    assert all(program.refused > 15 for program in programs)


def test_old_nonces_and_invented_ones_are_refused() -> None:
    issued = [f"n{i}" for i in range(KEPT, 0, -1)]
    assert follows(set(issued[:CARRIED]), issued)
    assert follows(set(issued[LAG - 1 : LAG - 1 + CARRIED]), issued)
    assert not follows(set(issued[LAG : LAG + CARRIED]), issued)
    assert not follows({"invented"}, issued)
    assert not follows({issued[0]}, issued), "the newest alone tells nothing of the others"
    assert follows({"of a Redis before"}, [])
