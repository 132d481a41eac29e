"""A whole session with the client, in both of its forms: what a front end written in Python relies on."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from liveness_client import AsyncClient, Client, Outcome, Refused, Reply, Session, Unreachable
from liveness_client import life as life_module
from tests.documented_server import SESSION, Server, completed, passed, problem, reply


class Heard:
    """A listener that remembers."""

    def __init__(self) -> None:
        self.sessions: list[Session] = []
        self.replies: list[Reply] = []
        self.troubles: list[str] = []

    def opened(self, session: Session) -> None:
        self.sessions.append(session)

    def replied(self, reply: Reply) -> None:
        self.replies.append(reply)

    def troubled(self, sentence: str) -> None:
        self.troubles.append(sentence)


Check = Callable[..., Outcome]


def endless() -> Iterator[bytes]:
    return (b"frame %d" % number for number in itertools.count())


@pytest.fixture(params=["sync", "async"])
def check(request: pytest.FixtureRequest, server: Server) -> Check:
    """Goes through a session; frames: what is filmed."""

    def sync(frames: Iterator[bytes], listener: Heard, *, url: str = "", **options: Any) -> Outcome:
        with Client(url or server.url, token="key", answer_within=2) as client:
            return client.check(lambda _: next(frames, None), listener, rate=50, **options)

    def later(frames: Iterator[bytes], listener: Heard, *, url: str = "", **options: Any) -> Outcome:
        async def frame(_: float) -> bytes | None:
            return next(frames, None)

        async def go() -> Outcome:
            async with AsyncClient(url or server.url, token="key", answer_within=2) as client:
                return await client.check(frame, listener, rate=50, **options)

        return asyncio.run(go())

    return sync if request.param == "sync" else later


def test_it_goes_to_the_verdict(check: Check, server: Server) -> None:
    server.script = [reply(), passed("TURN_LEFT", 1), reply("BLINK", challenges_remaining=1), completed(live=True)]
    heard = Heard()
    outcome = check(endless(), heard, challenges=2, exclude=["SMILE", "BLINK"], reveal="next", preset="strict")
    assert outcome.live
    assert server.created == [
        {
            "num_challenges": "2",
            "exclude": "SMILE,BLINK",
            "reveal": "next",
            "preset": "strict",
            "sequence": "required",
        },
    ]
    assert server.authorised == ["Bearer key"]
    assert [session.id for session in heard.sessions] == [SESSION]
    assert [each.passed for each in heard.replies] == [False, True, False, True]
    assert server.frames == [b"frame 0", b"frame 1", b"frame 2", b"frame 3"]
    assert not server.cancelled


def test_frames_carry_the_nonces_of_the_latest_answers(check: Check, server: Server) -> None:
    server.script = [
        reply(nonce="a"),
        reply(nonce="b"),
        lambda: problem(409, "out_of_sequence", "Answers were lost."),
        completed(live=True),
    ]
    heard = Heard()
    assert check(endless(), heard).live
    assert server.nonces == ["", "a", "b,a", "b,a"]
    assert heard.troubles == ["Answers were lost."]


def test_what_is_asked_is_read_from_the_answer(check: Check, server: Server) -> None:
    """With reveal=next it is told nowhere else; and where the face is."""
    challenge = {"type": "SMILE", "instruction": "Smile", "timeout_seconds": 5.0}
    face = {"x": 0.5, "y": 0.4, "width": 0.2, "height": 0.3}
    server.script = [
        reply("SMILE") | {"challenge": challenge, "face": face},
        reply(None) | {"challenge": None, "hint": {"code": "wait", "text": "Wait."}},
        completed(live=False),
    ]
    heard = Heard()
    assert check(endless(), heard) == Outcome("completed", False)
    first, second, _ = heard.replies
    assert first.challenge is not None
    assert first.face is not None
    assert (first.challenge.instruction, first.face.height) == ("Smile", 0.3)
    assert (second.challenge, second.face, second.hint_code) == (None, None, "wait")


def test_waits_are_kept_and_troubles_told(check: Check, server: Server) -> None:
    server.refusals = [lambda: problem(429, "too_many", "Too many sessions.", Retry_After="0")]
    server.script = [
        lambda: problem(503, "no_answer_in_time", "Nobody came.", Retry_After="0"),
        lambda: problem(500, "internal_error", "A fault."),
        completed(live=True),
    ]
    heard = Heard()
    assert check(endless(), heard).live
    assert heard.troubles == ["Too many sessions.", "Nobody came.", "A fault."]


def test_what_cannot_be_outlived_is_raised_and_the_session_cancelled(check: Check, server: Server) -> None:
    server.script = [lambda: problem(422, "not_an_image", "Send a JPEG.")]
    with pytest.raises(Refused, match="Send a JPEG"):
        check(endless(), Heard())
    assert server.cancelled == [SESSION]


def test_patience_has_an_end(check: Check, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(life_module, "GIVE_UP_AFTER", 2.0)
    server.script = [lambda: problem(503, "no_answer_in_time", "Nobody came.", Retry_After="0.05")]
    with pytest.raises(life_module.Busy, match="Nobody came"):
        check(endless(), Heard())
    assert len(server.frames) > 2


def test_frames_that_end_early_cancel_it(check: Check, server: Server) -> None:
    assert check(iter([b"one", b"two"]), Heard()) == Outcome("cancelled", None)
    assert server.frames == [b"one", b"two"]
    assert server.cancelled == [SESSION]


def test_a_session_that_is_gone_ends_it(check: Check, server: Server) -> None:
    server.script = [lambda: problem(404, "session_not_found", "There is no such session.")]
    assert check(endless(), Heard()) == Outcome("unknown", None)


def test_a_server_that_is_not_there_is_told_plainly(check: Check) -> None:
    with pytest.raises(Unreachable, match="No liveness server answers"):
        check(endless(), Heard(), url="http://127.0.0.1:1")


def test_each_call_is_there_in_both_forms(server: Server) -> None:
    async def asked() -> list[Any]:
        async with AsyncClient(server.url) as client:
            session = await client.open()
            answer = await client.submit(session.id, b"x")
            looked, evidence = await client.look(session.id), await client.evidence(session.id)
            await client.cancel(session.id)
            await client.cancel("gone")
            return [session, answer, looked, evidence]

    with Client(server.url) as client:
        session = client.open()
        expected = [session, client.submit(session.id, b"x"), client.look(session.id), client.evidence(session.id)]
    assert asyncio.run(asked()) == expected
    assert expected[2].is_live is True
    assert server.cancelled == [SESSION]


def test_a_task_that_is_cancelled_cancels_its_session(server: Server) -> None:
    async def frame(_: float) -> bytes:
        return b"x"

    def first_frame() -> None:
        while not server.frames:
            time.sleep(0.01)

    async def go() -> None:
        async with AsyncClient(server.url) as client:
            task = asyncio.create_task(client.check(frame))
            await asyncio.wait_for(asyncio.to_thread(first_frame), 10)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(go())
    assert server.cancelled == [SESSION]


def test_both_forms_have_the_same_calls() -> None:
    names = {name for name in vars(Client) if not name.startswith("_")}
    assert names == {name for name in vars(AsyncClient) if not name.startswith("_")}
