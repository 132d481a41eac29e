"""Signed verdicts: for a party that trusts this service, and not the one who presents the verdict (docs/verdict.md)."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from flask import Response
from flask_openapi import APIBlueprint
from pydantic import BaseModel, ConfigDict, Field

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
#: Seconds by which `nbf` lies before the signature, so that a relying party whose clock is slow takes the verdict.
SLOW_CLOCK = 60
#: The header `typ`, by which no other JWT of this service passes for a verdict, nor a verdict for one of them.
KIND = "liveness-verdict+jwt"

verdicts = APIBlueprint("verdicts", __name__, abp_tags=[TAG])


class VerdictView(BaseModel):
    """A signed verdict."""

    verdict: str = Field(description="A JWS in compact form, ES256; docs/verdict.md says what it holds.")
    expires_at: int = Field(description="When the verdict ceases to be valid, in seconds since the epoch.")


class VerdictOptions(BaseModel):
    """The parameters of a verdict."""

    audience: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        pattern=r"^[!-~]+$",
        description="Who the verdict is for, its claim `aud`, such as https://bank.example.org: a relying party that checks "
        "it takes no verdict that was meant for another. Without it the verdict has no `aud`.",
    )


class RevokedKey(BaseModel):
    """A key that was revoked."""

    kid: str
    revoked_at: float = Field(description="When the key was revoked, in seconds since the epoch.")


class Keys(BaseModel):
    """A JWK Set, RFC 7517, with the ids of revoked keys beside it."""

    keys: list[dict[str, Any]]
    revoked: list[RevokedKey] = Field(
        description="Keys that were revoked: a verdict signed by one of them is invalid, whenever it was signed."
    )


class GivenVerdict(BaseModel):
    """A verdict to check."""

    model_config = ConfigDict(extra="forbid")

    verdict: str = Field(max_length=16_384, description="The JWS in compact form.")


class VerdictCheck(BaseModel):
    """Whether a verdict is valid."""

    valid: bool = Field(description="Whether this service signed the verdict, and it is neither expired nor revoked.")
    reason: signing_keys.Reason | None = Field(
        description="Why the verdict is not valid; `revoked_key`: the key that signed it was revoked. null if it is valid."
    )
    claims: dict[str, Any] | None = Field(
        description="What a valid verdict says, as docs/verdict.md lists it; else null."
    )


@verdicts.get(
    "/api/v1/liveness/sessions/<session_id>/verdict",
    operation_id="get_verdict",
    responses=responses(
        VerdictView, "invalid_parameter", "session_not_found", "verdict_not_found", "database_unavailable"
    ),
)
def get_verdict(path: SessionPath, query: VerdictOptions) -> Response:
    """Get a completed session's verdict, signed.

    For your server, which may pass it on to another party: to check it, that party needs only the public keys at
    /.well-known/jwks.json.
    """
    session = find(resources(), path.session_id, arrived_at())
    if session.state is not State.COMPLETED:
        raise ProblemError("verdict_not_found")
    deps = resources()
    claimed = claims(session, deps.settings.issuer, arrived_at(), query.audience)
    audit.write(Action.VERDICT_SIGNED, session.id, claimed["jti"])
    signed = signing_keys.sign(deps.engine, secret(), claimed, KIND, arrived_at())
    return json_of(VerdictView(verdict=signed, expires_at=claimed["exp"]))


@verdicts.get("/.well-known/jwks.json", operation_id="get_keys", responses=responses(Keys, "database_unavailable"))
def get_keys() -> Response:
    """Get the public keys that verdicts are signed with."""
    engine = resources().engine
    revoked = [RevokedKey(kid=key.kid, revoked_at=key.revoked_at or 0.0) for key in signing_keys.revoked(engine)]
    answer = json_of(Keys(keys=signing_keys.published(engine, arrived_at()), revoked=revoked))
    answer.headers["Cache-Control"] = f"public, max-age={signing_keys.REMEMBERED}"
    return answer


@verdicts.post(
    "/api/v1/liveness/verdicts/check",
    operation_id="check_verdict",
    responses=responses(VerdictCheck, "invalid_parameter", "database_unavailable"),
)
def check_verdict(body: GivenVerdict) -> Response:
    """Check a signed verdict.

    For a server that would rather ask than verify. `aud`, `nonce` and the session are the caller's to compare.
    """
    deps = resources()
    try:
        said = signing_keys.verify(deps.engine, body.verdict, KIND, deps.settings.issuer, arrived_at())
    except signing_keys.Invalid as invalid:
        return json_of(VerdictCheck(valid=False, reason=invalid.reason, claims=None))
    return json_of(VerdictCheck(valid=True, reason=None, claims=said))


def claims(session: Session, issuer: str, at: float, audience: str | None = None) -> dict[str, Any]:
    """The claims of the verdict about a completed session. audience: the claim `aud`, which is absent without it."""
    claimed = {
        "iss": issuer,
        "sub": session.id,
        "jti": str(uuid4()),
        "iat": int(at),
        "nbf": int(at) - SLOW_CLOCK,
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
        **{name: session.facts[name] for name in ("asked", "owner", "subject")},
    }
    if session.identity is not None and session.identity.reference is not None:
        claimed["reference_match"] = session.identity.reference.match
    if session.options.nonce is not None:
        claimed["nonce"] = session.options.nonce
    if audience is not None:
        # Never by default: libraries refuse a token with an audience that they were not told to expect.
        claimed["aud"] = audience
    return claimed
