"""Signed verdicts: for a party that trusts this service, and not the one who presents the verdict (docs/verdict.md)."""

from __future__ import annotations

from typing import Any

from flask import Response
from flask_openapi import APIBlueprint
from pydantic import BaseModel, Field

from api import audit, signing_keys
from api.access import secret
from api.context import arrived_at
from api.problems import ProblemError, responses
from api.resources import resources
from api.schemas import SessionPath
from api.sessions import TAG, find, json_of
from shared.db.trail import Action
from shared.liveness.evidence import weighs_against
from shared.liveness.session import Session, State

#: Seconds for which a verdict is valid after it was fetched.
VALID = 600
#: The header `typ`, by which no other JWT of this service passes for a verdict, nor a verdict for one of them.
KIND = "liveness-verdict+jwt"

verdicts = APIBlueprint("verdicts", __name__, abp_tags=[TAG])


class VerdictView(BaseModel):
    """A signed verdict."""

    verdict: str = Field(description="A JWS in compact form, ES256; docs/verdict.md says what it holds.")
    expires_at: int = Field(description="When the verdict ceases to be valid, in seconds since the epoch.")


class Keys(BaseModel):
    """A JWK Set, RFC 7517."""

    keys: list[dict[str, Any]]


@verdicts.get(
    "/api/v1/liveness/sessions/<session_id>/verdict",
    operation_id="get_verdict",
    responses=responses(VerdictView, "session_not_found", "verdict_not_found", "database_unavailable"),
)
def get_verdict(path: SessionPath) -> Response:
    """Get a completed session's verdict, signed.

    For your server, which may pass it on to another party: to check it, that party needs only the public keys at
    /.well-known/jwks.json.
    """
    session = find(resources(), path.session_id, arrived_at())
    if session.state is not State.COMPLETED:
        raise ProblemError("verdict_not_found")
    audit.write(Action.VERDICT_SIGNED, session.id)
    deps = resources()
    claimed = claims(session, deps.settings.issuer, arrived_at())
    signed = signing_keys.sign(deps.engine, secret(), claimed, KIND, arrived_at())
    return json_of(VerdictView(verdict=signed, expires_at=claimed["exp"]))


@verdicts.get("/.well-known/jwks.json", operation_id="get_keys", responses=responses(Keys, "database_unavailable"))
def get_keys() -> Response:
    """Get the public keys that verdicts are signed with."""
    answer = json_of(Keys(keys=signing_keys.published(resources().engine, arrived_at())))
    answer.headers["Cache-Control"] = f"public, max-age={signing_keys.REMEMBERED}"
    return answer


def claims(session: Session, issuer: str, at: float) -> dict[str, Any]:
    """The claims of the verdict about a completed session."""
    claimed = {
        "iss": issuer,
        "sub": session.id,
        "iat": int(at),
        "exp": int(at) + VALID,
        "is_live": session.is_live,
        "reason": session.reason,
        "preset": session.preset.value,
        "score": session.score,
        "challenges": [
            {"type": c.type.value, "passed_at": c.passed_at, "confidence": c.confidence} for c in session.challenges
        ],
        "against": [finding.code.value for finding in session.findings if weighs_against(finding)],
        "created_at": session.created_at,
        "started_at": session.started_at,
        "ended_at": session.ended_at,
    }
    if session.identity is not None and session.identity.reference is not None:
        claimed["reference_match"] = session.identity.reference.match
    if session.options.nonce is not None:
        claimed["nonce"] = session.options.nonce
    return claimed
