"""The evidence of a session, for the server's side; and that none of it is in what the person's client sees."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from shared.liveness.evidence import FITTED, SPECIES, Code, Finding, Preset
from shared.liveness.options import Options
from shared.liveness.session import Session, State
from tests.integration.api.conftest import SESSIONS, session_like
from tests.integration.api.test_frames import FIELDS, post
from tests.integration.api.test_sessions import UNKNOWN, overdue

Keep = Callable[[Session], Session]


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
    findings = [
        Finding(Code.CUT, 0.25, 0, bits=0.0),
        Finding(Code.FLAT, 0.08, 0, bits=-4.5),
        Finding(Code.FLAT, 0.01, 2, bits=1.25),
    ]
    session = keep(finished(is_live=False, reason="flat", score=0.0625, findings=findings))
    found = evidence(client, session)
    assert found == {
        "session_id": session.id,
        "state": "completed",
        "is_live": False,
        "reason": "flat",
        "preset": "standard",
        "score": 0.0625,
        "threshold": FITTED.thresholds[Preset.STANDARD],
        "challenges": [
            {"type": "TURN_LEFT", "passed_at": 1003.5, "confidence": 0.75},
            {"type": "BLINK", "passed_at": 1004.5, "confidence": 0.75},
            {"type": "SMILE", "passed_at": 1005.5, "confidence": 0.75},
        ],
        "findings": [
            {
                "code": "cut",
                "score": 0.25,
                "bits": 0.0,
                "limit": None,
                "against": False,
                "species": "screen_replay",
                "challenge": 0,
            },
            {
                "code": "flat",
                "score": 0.08,
                "bits": -4.5,
                "limit": None,
                "against": True,
                "species": "moved_photo",
                "challenge": 0,
            },
            {
                "code": "flat",
                "score": 0.01,
                "bits": 1.25,
                "limit": None,
                "against": False,
                "species": "moved_photo",
                "challenge": 2,
            },
        ],
        "suspected": "moved_photo",
        "reference": None,
    }
    assert list(found) == [
        "session_id", "state", "is_live", "reason", "preset", "score", "threshold", "challenges", "findings", "suspected",
        "reference",
    ]  # fmt: skip


@pytest.mark.parametrize("bits", [-1.0, -0.999])
@pytest.mark.parametrize("code", Code)
def test_every_code_that_makes_an_attack_twice_as_likely_is_against(
    client: FlaskClient, keep: Keep, code: Code, bits: float
) -> None:
    """A limit is told where there is one: from there the judge decides by itself."""
    found = evidence(client, keep(finished(is_live=False, score=0.2, findings=[Finding(code, 0.5, bits=bits)])))
    [finding] = found["findings"]
    assert (finding["limit"], finding["bits"], finding["against"]) == (FITTED.decisive.get(code), bits, bits <= -1)
    assert (finding["species"], finding["challenge"]) == (SPECIES[code], None)
    assert found["suspected"] == SPECIES[code]


@pytest.mark.parametrize("preset", Preset)
def test_the_threshold_is_the_presets_unless_the_session_has_its_own(
    client: FlaskClient, keep: Keep, preset: Preset
) -> None:
    found = evidence(client, keep(finished(preset=preset, score=0.97)))
    assert (found["preset"], found["score"], found["threshold"]) == (preset, 0.97, FITTED.thresholds[preset])
    found = evidence(client, keep(finished(session_id=UNKNOWN, preset=preset, options=Options(threshold=0.625))))
    assert found["threshold"] == 0.625


def test_while_the_session_goes_on_nothing_weighs(client: FlaskClient, keep: Keep) -> None:
    findings = [Finding(Code.SWAPPED, 0.3, 0)]
    going = finished(state=State.IN_PROGRESS, is_live=None, ended_at=None, expires_at=2e9, findings=findings)
    found = evidence(client, keep(going))
    assert (found["state"], found["score"], found["suspected"]) == ("in_progress", None, None)
    assert [(f["score"], f["bits"], f["against"]) for f in found["findings"]] == [(0.3, None, False)]


def test_the_gravest_finding_names_the_suspect(client: FlaskClient, keep: Keep) -> None:
    findings = [
        Finding(Code.FLAT, 0.5, 0, bits=-6.0),
        Finding(Code.REPEATED, 1.0, 1, bits=-40.0),
        Finding(Code.FLAT, 0.9, 2, bits=-6.0),
    ]
    found = evidence(client, keep(finished(is_live=False, reason="repeated", score=0.0, findings=findings)))
    assert (found["suspected"], found["reason"]) == ("same_frame", "repeated")
    assert [finding["code"] for finding in found["findings"]] == ["flat", "repeated", "flat"], "as they were made"


def test_of_a_live_person_suspects_nobody(client: FlaskClient, keep: Keep) -> None:
    found = evidence(client, keep(finished(score=0.9, findings=[Finding(Code.FLAT, 0.03, 0, bits=-2.0)])))
    assert (found["is_live"], found["reason"], found["suspected"]) == (True, None, None)
    assert found["findings"][0]["against"], "one doubt is told as what it is"


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
    finding = Finding(Code.FLAT, 0.987654, 0, bits=-5.4321)
    session = keep(finished(is_live=False, reason="flat", score=0.123456, findings=[finding]))
    address = f"{SESSIONS}/{session.id}"
    seen = [client.get(address), post(client, session.id), client.delete(address)]
    assert list(seen[1].json) == FIELDS
    for answer in seen:
        for secret in (
            "flat",
            "0.98",
            "5.43",
            "0.12",
            "score",
            "bits",
            "threshold",
            "moved_photo",
            "reason",
        ):
            assert secret not in answer.text
    for answer in seen[1:]:  # a GET tells what was asked for
        assert "preset" not in answer.text
        assert "standard" not in answer.text


def test_the_documents_example_is_of_the_documented_shape(client: FlaskClient) -> None:
    from api.schemas import EvidenceView
    from ops.run.tables import EVIDENCE

    example = EVIDENCE.read_text().partition("```json\n")[2].partition("```")[0]
    read = json.load(io.StringIO(example))
    assert json.loads(EvidenceView.model_validate(read).model_dump_json()) == read
    [finding] = read["findings"]
    assert (finding["bits"] <= -1, finding["species"]) == (finding["against"], SPECIES[Code(finding["code"])])
    assert (finding["limit"], read["is_live"]) == (
        FITTED.decisive.get(Code(finding["code"])),
        read["score"] >= read["threshold"],
    )
