"""The evidence of a session, for the server's side; and that none of it is in what the person's client sees."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from shared.liveness.evidence import LIMITS, SPECIES, Code, Finding, Preset
from shared.liveness.session import Session, State
from tests.integration.api.conftest import SESSIONS, session_like
from tests.integration.api.test_frames import FIELDS, post
from tests.integration.api.test_sessions import UNKNOWN, overdue

Keep = Callable[[Session], Session]

FLAT = LIMITS[Preset.STANDARD][Code.FLAT]


def finished(**changes: Any) -> Session:
    """The documentation's session after its last pass."""
    whole: dict[str, Any] = {"state": State.COMPLETED, "started_at": 1001.0, "ended_at": 1009.5, "is_live": True}
    session = session_like(**{**whole, **changes})
    for number, challenge in enumerate(session.challenges):
        challenge.started_at, challenge.passed_at, challenge.confidence = 1002.0 + number, 1003.5 + number, 0.75
    return session


def evidence(client: FlaskClient, session: Session) -> dict[str, Any]:
    answer = client.get(f"{SESSIONS}/{session.id}/evidence")
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    found: dict[str, Any] = answer.json
    return found


def test_of_an_attack_as_documented(client: FlaskClient, keep: Keep) -> None:
    findings = [Finding(Code.CUT, 0.25, 0), Finding(Code.FLAT, FLAT, 0), Finding(Code.FLAT, FLAT - 0.001, 2)]
    session = keep(finished(is_live=False, reason="flat", findings=findings))
    found = evidence(client, session)
    assert found == {
        "session_id": session.id,
        "state": "completed",
        "is_live": False,
        "reason": "flat",
        "preset": "standard",
        "challenges": [
            {"type": "TURN_LEFT", "passed_at": 1003.5, "confidence": 0.75},
            {"type": "BLINK", "passed_at": 1004.5, "confidence": 0.75},
            {"type": "SMILE", "passed_at": 1005.5, "confidence": 0.75},
        ],
        "findings": [
            {"code": "cut", "score": 0.25, "limit": None, "against": False, "species": "screen_replay", "challenge": 0},
            {"code": "flat", "score": FLAT, "limit": FLAT, "against": True, "species": "moved_photo", "challenge": 0},
            {
                "code": "flat",
                "score": FLAT - 0.001,
                "limit": FLAT,
                "against": False,
                "species": "moved_photo",
                "challenge": 2,
            },
        ],
        "suspected": "moved_photo",
        "reference": None,
    }
    assert list(found) == [
        "session_id", "state", "is_live", "reason", "preset", "challenges", "findings", "suspected", "reference",
    ]  # fmt: skip


@pytest.mark.parametrize("preset", Preset)
@pytest.mark.parametrize("code", Code)
def test_every_code_under_every_preset(client: FlaskClient, keep: Keep, code: Code, preset: Preset) -> None:
    """The limit told is the one that decides, and the session's own preset chooses it."""
    limit = LIMITS[preset].get(code)
    score = 0.5 if limit is None else limit
    found = evidence(client, keep(finished(preset=preset, findings=[Finding(code, score)])))
    assert found["preset"] == preset
    [finding] = found["findings"]
    assert (finding["limit"], finding["against"]) == (limit, limit is not None)
    assert (finding["species"], finding["challenge"]) == (SPECIES[code], None)
    assert found["suspected"] == (None if limit is None else SPECIES[code])


def test_the_gravest_finding_names_the_suspect(client: FlaskClient, keep: Keep) -> None:
    findings = [Finding(Code.FLAT, FLAT * 1.01, 0), Finding(Code.REPEATED, 1.0, 1), Finding(Code.FLAT, FLAT, 2)]
    found = evidence(client, keep(finished(is_live=False, reason="repeated", findings=findings)))
    assert (found["suspected"], found["reason"]) == ("same_frame", "repeated")
    assert [finding["code"] for finding in found["findings"]] == ["flat", "repeated", "flat"], "as they were made"


def test_of_a_live_person_suspects_nobody(client: FlaskClient, keep: Keep) -> None:
    found = evidence(client, keep(finished(findings=[Finding(Code.FLAT, 0.01, 0)])))
    assert (found["is_live"], found["reason"], found["suspected"]) == (True, None, None)


def test_of_a_new_session_is_empty(client: FlaskClient) -> None:
    created = client.post(f"{SESSIONS}?preset=strict").json
    found = client.get(f"{SESSIONS}/{created['session_id']}/evidence").json
    assert (found["state"], found["is_live"], found["preset"], found["findings"]) == ("pending", None, "strict", [])
    assert found["challenges"] == [
        {"type": c["type"], "passed_at": None, "confidence": None} for c in created["challenges"]
    ]


@pytest.mark.parametrize(("kind", "reason"), [("expired", "expired"), ("failed", "timed_out")])
def test_tells_the_truth_without_another_frame(client: FlaskClient, keep: Keep, kind: str, reason: str) -> None:
    found = evidence(client, keep(overdue(kind, time.time())))
    assert (found["state"], found["reason"]) == (kind, reason)


def test_of_an_unknown_session(client: FlaskClient) -> None:
    for session_id in (UNKNOWN, "x"):
        answer = client.get(f"{SESSIONS}/{session_id}/evidence")
        assert (answer.status_code, answer.json["code"]) == (404, "session_not_found")


def test_nothing_of_it_is_in_what_the_client_sees(client: FlaskClient, keep: Keep) -> None:
    """Neither code nor score nor species: an attacker would learn from it what to do better."""
    session = keep(finished(is_live=False, reason="flat", findings=[Finding(Code.FLAT, 0.987654, 0)]))
    address = f"{SESSIONS}/{session.id}"
    seen = [client.get(address), post(client, session.id), client.delete(address)]
    assert list(seen[1].json) == FIELDS
    for answer in seen:
        for secret in ("flat", "0.98", "moved_photo", "preset", "standard", "reason"):
            assert secret not in answer.text


def test_the_documents_example_is_of_the_documented_shape(client: FlaskClient) -> None:
    from api.schemas import EvidenceView
    from ops.tables import EVIDENCE

    example = EVIDENCE.read_text().partition("```json\n")[2].partition("```")[0]
    read = json.load(io.StringIO(example))
    assert json.loads(EvidenceView.model_validate(read).model_dump_json()) == read
    [finding] = read["findings"]
    assert (finding["score"] >= finding["limit"], finding["species"]) == (finding["against"], SPECIES[Code.FLAT])
