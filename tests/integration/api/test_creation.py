"""What creation may ask for beyond the documented two: what is drawn, how it is revealed, how much evidence is wanted."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from dramatiq import Worker
from flask.testing import FlaskClient
from redis import Redis
from sqlalchemy import Engine, text

from shared.db import UnitOfWork
from shared.liveness import session as session_module
from shared.liveness.challenge import EXPRESSIONS, HEAD_MOVEMENTS, ChallengeType
from shared.liveness.draw import PAUSE
from shared.liveness.evidence import FITTED, Preset
from shared.liveness.gestures.judgement import Judgement
from shared.liveness.options import Options
from shared.liveness.session import Session, State
from shared.redis import keyspace, timekeeping
from tests.endings import nothing_else
from tests.integration.api.conftest import SESSIONS, Eyes, session_like
from tests.integration.api.test_frames import post
from tests.unit.db import samples
from tests.unit.liveness.weights import alive
from tests.waiting import PATIENCE

Keep = Callable[[Session], Session]
Start = Callable[..., FlaskClient]


def drawn(client: FlaskClient, query: str, times: int = 25) -> list[list[str]]:
    answers = [client.post(f"{SESSIONS}?{query}") for _ in range(times)]
    assert {answer.status_code for answer in answers} == {200}
    return [[c["type"] for c in answer.json["challenges"]] for answer in answers]


def stored(engine: Engine, session_id: str) -> Session:
    with UnitOfWork(engine, read_only=True) as uow:
        session = uow.sessions.get(session_id)
    assert session is not None
    return session


class TestWhatIsDrawn:
    @pytest.mark.parametrize(
        ("query", "among"),
        [
            ("challenge_types=SMILE,LOOK_UP", {"SMILE", "LOOK_UP"}),
            ("challenge_types=SMILE&challenge_types=LOOK_UP", {"SMILE", "LOOK_UP"}),
            ("challenge_types=SMILE,%20BLINK&challenge_types=LOOK_UP", {"SMILE", "BLINK", "LOOK_UP"}),
            ("challenge_types=SMILE,SMILE", {"SMILE"}),
            ("exclude=BLINK", set(ChallengeType) - {"BLINK"}),
            (
                "exclude=TURN_LEFT,TURN_RIGHT&exclude=LOOK_UP",
                set(ChallengeType) - {"TURN_LEFT", "TURN_RIGHT", "LOOK_UP"},
            ),
            ("challenge_types=SMILE,BLINK,LOOK_UP&exclude=BLINK,TURN_LEFT", {"SMILE", "LOOK_UP"}),
        ],
    )
    def test_is_among_what_was_asked_for_and_all_of_it_comes_up(
        self, client: FlaskClient, query: str, among: set[str]
    ) -> None:
        types = drawn(client, f"num_challenges=4&{query}")
        assert {one for each in types for one in each} == among

    def test_keeps_the_mix_as_far_as_the_rest_has_both(self, client: FlaskClient) -> None:
        for types in drawn(client, "num_challenges=3&exclude=SMILE,BLINK"):
            assert HEAD_MOVEMENTS & set(types)
            assert EXPRESSIONS & set(types)
            assert all(before != after for before, after in pairwise(types))
        for types in drawn(client, f"exclude={','.join(HEAD_MOVEMENTS)}", times=5):
            assert set(types) <= EXPRESSIONS

    def test_is_what_it_was_without_a_word(self, client: FlaskClient, engine: Engine) -> None:
        created = client.post(SESSIONS).json
        session = stored(engine, created["session_id"])
        assert (session.preset, session.options) == (Preset.STANDARD, Options())


class TestThePreset:
    @pytest.mark.parametrize("preset", Preset)
    def test_is_kept(self, client: FlaskClient, engine: Engine, preset: str) -> None:
        created = client.post(f"{SESSIONS}?preset={preset}").json
        assert stored(engine, created["session_id"]).preset is preset
        assert list(created) == ["session_id", "state", "challenges"], "and told to nobody"

    def test_is_the_operators_where_none_is_given(self, start_app: Callable[..., FlaskClient], engine: Engine) -> None:
        client = start_app(preset=Preset.STRICT)
        assert stored(engine, client.post(SESSIONS).json["session_id"]).preset is Preset.STRICT
        lenient = client.post(f"{SESSIONS}?preset=lenient").json["session_id"]
        assert stored(engine, lenient).preset is Preset.LENIENT


class TestTheThreshold:
    def test_is_the_presets_unless_the_operator_has_set_one(self, client: FlaskClient, engine: Engine) -> None:
        session = stored(engine, client.post(SESSIONS).json["session_id"])
        assert (session.options.threshold, session.threshold(FITTED)) == (None, FITTED.thresholds[Preset.STANDARD])

    def test_of_the_operator_is_not_for_sessions_that_name_a_preset(
        self, start_app: Callable[..., FlaskClient], engine: Engine
    ) -> None:
        """Who names one means its threshold; the others have the operator's, whatever the operator's preset is."""
        client = start_app(liveness_threshold=0.625, preset=Preset.STRICT)
        session = stored(engine, client.post(SESSIONS).json["session_id"])
        assert (session.preset, session.options.threshold, session.threshold(FITTED)) == (Preset.STRICT, 0.625, 0.625)
        for preset in Preset:
            named = stored(engine, client.post(f"{SESSIONS}?preset={preset}").json["session_id"])
            assert (named.options.threshold, named.threshold(FITTED)) == (None, FITTED.thresholds[preset])


class TestOneAtATime:
    def test_begins_with_the_first_and_tells_no_other(self, client: FlaskClient, engine: Engine) -> None:
        answer = client.post(f"{SESSIONS}?reveal=next&num_challenges=5")
        session = stored(engine, answer.json["session_id"])
        assert len(session.challenges) == 5
        assert len(session.options.pauses) == 4
        assert all(PAUSE[0] <= pause <= PAUSE[1] for pause in session.options.pauses)
        assert len(set(session.options.pauses)) == 4
        assert [c["type"] for c in answer.json["challenges"]] == [session.challenges[0].type]
        assert client.get(f"{SESSIONS}/{session.id}").json["challenges"] == answer.json["challenges"]
        with engine.connect() as connection:
            told = connection.scalar(text("SELECT data FROM outbox"))
        assert json.loads(told)["challenges"] == [session.challenges[0].type], "one name in one list"

    def test_pauses_are_drawn_anew_for_each_session(self, client: FlaskClient, engine: Engine) -> None:
        pauses = {
            pause
            for _ in range(5)
            for pause in stored(engine, client.post(f"{SESSIONS}?reveal=next").json["session_id"]).options.pauses
        }
        assert len(pauses) == 10

    def test_all_is_the_default_and_can_be_said(self, client: FlaskClient, engine: Engine) -> None:
        created = client.post(f"{SESSIONS}?reveal=all").json
        assert len(created["challenges"]) == 3
        assert stored(engine, created["session_id"]).options == Options()

    def test_the_list_grows_with_time_and_stops_at_the_end(
        self, client: FlaskClient, keep: Keep, engine: Engine
    ) -> None:
        now = timekeeping.now()
        session = session_like(
            state=State.IN_PROGRESS, created_at=now - 9, started_at=now - 8, options=Options(pauses=(1.0, 1.0))
        )
        first, second, _ = session.challenges
        first.started_at, first.passed_at, second.started_at = now - 8, now - 5, now + 3600
        keep(session)
        address = f"{SESSIONS}/{session.id}"

        def listed(path: str = "") -> list[str]:
            return [c["type"] for c in client.get(f"{address}{path}").json["challenges"]]

        assert listed() == listed("/evidence") == ["TURN_LEFT"]
        with UnitOfWork(engine, on_end=nothing_else) as uow:  # as if the hour had gone by
            held = uow.sessions.get(session.id, lock=True)
            assert held is not None
            held.challenges[1].started_at = now - 1
            uow.sessions.save(held)
            uow.commit()
        assert listed() == listed("/evidence") == ["TURN_LEFT", "BLINK"]
        second.passed_at = now - 1
        ended = replace(
            session,
            id="a1b2c3d4-e5f6-7890-abcd-ef1234567891",
            state=State.EXPIRED,
            ended_at=now - 0.5,
            reason="expired",
        )
        ended.challenges[1].started_at, ended.challenges[2].started_at = now - 4, now - 0.2
        keep(ended)
        address = f"{SESSIONS}/{ended.id}"
        assert listed() == listed("/evidence") == ["TURN_LEFT", "BLINK"], "nobody is told what would have come"


class TestAClientThatIsToldOneAtATime:
    """From creation to the verdict over HTTP, the queue and workers; only the judge is willing."""

    @pytest.fixture(autouse=True)
    def _willing(self, monkeypatch: pytest.MonkeyPatch, eyes: Eyes) -> None:
        monkeypatch.setattr(session_module, "judge", lambda *_args, **_facts: Judgement(True, 0.9))
        monkeypatch.setattr(session_module, "examine", lambda _, asked, **__: alive(FITTED, asked))
        face = samples.observation()
        eyes.see = lambda data: replace(face, faces=1, problem=None)

    def test_shows_what_the_answers_name(self, client: FlaskClient, worker: Worker, engine: Engine) -> None:
        created = client.post(f"{SESSIONS}?reveal=next&num_challenges=2").json
        session_id = created["session_id"]
        shown: list[Any] = []
        answers: list[dict[str, Any]] = []
        deadline = time.monotonic() + PATIENCE
        while not answers or answers[-1]["state"] == "in_progress":
            assert time.monotonic() < deadline
            answers.append(post(client, session_id).json)
            named = answers[-1]["challenge"]
            assert (named and named["type"]) == answers[-1]["challenge_type"]
            if named and named not in shown:
                shown.append(named)
                listed = client.get(f"{SESSIONS}/{session_id}").json["challenges"]
                assert listed == shown, "the list holds what was revealed"
            time.sleep(0.05)
        session = stored(engine, session_id)
        assert [c["type"] for c in shown] == [c.type for c in session.challenges]
        assert [list(c) for c in shown] == 2 * [["type", "instruction", "timeout_seconds"]]
        assert answers[-1]["session_complete"]
        assert [a["challenges_remaining"] for a in answers if a["passed"]] == [1, 0]
        waits = [a for a in answers if a["challenge_type"] is None]
        assert waits
        for wait in waits:
            assert (wait["passed"], wait["state"], wait["challenges_remaining"]) == (False, "in_progress", 1)
            assert wait["hint"] == {"code": "wait", "text": "Well done. Wait for the next one."}
        first, second = session.challenges
        assert first.passed_at is not None
        assert second.started_at == pytest.approx(first.passed_at + session.options.pauses[0])


def behind(redis: Redis) -> None:
    """Have the workers count as behind, as a frame of a session under way finds them."""
    redis.set(keyspace.BEHIND, "1", ex=60)


def test_no_session_is_created_while_the_workers_are_behind(start_app: Start, redis: Redis, engine: Engine) -> None:
    client = start_app(limit_sessions="2/hour")
    before = client.post(SESSIONS).json["session_id"]
    behind(redis)
    for _ in range(3):
        answer = client.post(SESSIONS)
        assert (answer.status_code, answer.json["code"], answer.headers["Retry-After"]) == (503, "workers_behind", "2")
    assert client.get(f"{SESSIONS}/{before}").json["state"] == "pending", "it goes on"
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM sessions")) == 1
    redis.delete(keyspace.BEHIND)
    assert client.post(SESSIONS).status_code == 200, "a refusal takes no token"


def test_a_creation_that_is_repeated_is_answered_although_the_workers_are_behind(
    start_app: Start, redis: Redis
) -> None:
    client, key = start_app(), {"Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}
    first = client.post(SESSIONS, headers=key)
    behind(redis)
    assert client.post(SESSIONS, headers=key).data == first.data
    other = {"Idempotency-Key": "another"}
    assert client.post(SESSIONS, headers=other).json["code"] == "workers_behind"
    redis.delete(keyspace.BEHIND)
    assert client.post(SESSIONS, headers=other).status_code == 200, "the refusal was not kept"


def test_a_shut_gate_refuses_creations_without_asking_redis(start_app: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    client = start_app(redis_url="redis://127.0.0.1:1")
    assert client.post(SESSIONS).status_code == 200, "without Redis every creation is let through"
    monkeypatch.setattr("api.gate.Gate.is_shut", True)
    assert client.post(SESSIONS).json["code"] == "workers_behind"
