"""A relying party in FastAPI, async: it checks the signed verdict itself. `python fastapi_app.py`."""

import os
import secrets

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from pydantic import BaseModel

from liveness_client import (
    AsyncClient,
    AsyncKeys,
    Busy,
    ClientError,
    InvalidVerdict,
    InvalidWebhook,
    Refused,
    verify_verdict_async,
    verify_webhook,
)

SERVICE = os.environ["LIVENESS_URL"]  # https://liveness.example.org
KEY = os.environ["LIVENESS_KEY"]  # ops/keys create --policy "preset=standard.. num_challenges=3.."
SECRET = os.environ["LIVENESS_WEBHOOK_SECRET"]  # whsec_…, as POST /api/v1/webhooks answered it
ISSUER = os.environ.get("LIVENESS_ISSUER", "liveness")  # the service's setting ISSUER
OURSELVES = "https://bank.example.org"

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>A check</title>
<script type="module" src="SERVICE/web/client/element.js"></script>
<liveness-check api="SERVICE/api/v1/liveness" challenges="3"></liveness-check>
<script type="module">
  const check = document.querySelector("liveness-check");
  let session;
  check.createSession = async (wishes) => {
    const headers = { "Content-Type": "application/json" };
    const answer = await fetch("/session", { method: "POST", headers, body: JSON.stringify(wishes) });
    if (answer.ok) return (session = await answer.json());
    throw { code: answer.status === 503 ? "busy" : "refused", retryAfter: Number(answer.headers.get("Retry-After")) };
  };
  check.addEventListener("liveness-completed", () => location.assign(`/result/${session.session_id}`));
</script></html>"""

app = FastAPI()
keys = AsyncKeys(f"{SERVICE}/.well-known/jwks.json")
checks: dict[str, tuple[str, str]] = {}  # session id → account, nonce; your database
ended: dict[str, dict] = {}  # session id → event that ended it; your database


class Wishes(BaseModel):
    """What the person says they cannot do."""

    exclude: list[str] = []


def account() -> str:
    """Return who is logged in: yours to fill in."""
    return "account-7"


@app.get("/")
async def page() -> HTMLResponse:
    """Show the element."""
    return HTMLResponse(PAGE.replace("SERVICE", SERVICE))


@app.post("/session")
async def create(wishes: Wishes) -> dict[str, str | None]:
    """Create a session with the server's key; the browser gets the token of this session only."""
    nonce = secrets.token_urlsafe(16)
    async with AsyncClient(SERVICE, token=KEY) as liveness:
        session = await liveness.open(
            challenges=3,
            timeout_seconds=10,
            reveal="next",
            sequence="required",  # the element sends what it asks for
            exclude=wishes.exclude,
            subject=account(),  # failed attempts are counted by it
            nonce=nonce,  # the signed verdict repeats it
            token=True,
        )
    checks[session.id] = account(), nonce
    return {"session_id": session.id, "token": session.token}


@app.post("/webhook")
async def webhook(request: Request) -> Response:
    """Take an event; it may come twice, and before or after the browser's own request."""
    event = verify_webhook(await request.body(), request.headers, SECRET)
    ended[event["subject"]] = dict(event)
    return Response(status_code=204)


@app.get("/result/{session_id}")
async def result(session_id: str) -> Response:
    """Fetch the verdict that the service signs for us, and check it."""
    whose, nonce = checks.get(session_id, (None, ""))
    if whose != account():
        return JSONResponse({"error": "not_found"}, 404)
    async with AsyncClient(SERVICE, token=KEY) as liveness:
        session = await liveness.look(session_id)
        if session.state in ("pending", "in_progress"):
            return JSONResponse({"error": "not_ended"}, 409)
        live = False
        if session.state == "completed":  # only then there is a verdict to sign
            signed = await liveness.verdict(session_id, audience=OURSELVES)
            verdict = await verify_verdict_async(
                signed, keys, issuer=ISSUER, audience=OURSELVES, session_id=session_id, nonce=nonce
            )
            live = verdict.is_live and len(verdict.challenges) >= 3
    return JSONResponse({"live": live, "state": session.state, "told": session_id in ended})


@app.exception_handler(ClientError)
async def unavailable(_: Request, error: ClientError) -> JSONResponse:
    """Say what an error means for whoever asked."""
    if isinstance(error, InvalidWebhook):
        return JSONResponse({"error": error.reason}, 401)
    if isinstance(error, InvalidVerdict):
        return JSONResponse({"error": error.reason}, 502)
    if isinstance(error, Refused):  # 404: the session was cancelled; 422: the policy forbids what is asked for
        return JSONResponse({"error": error.code}, 404 if error.status == 404 else 502)
    wait = error.wait if isinstance(error, Busy) else 5  # Unreachable: nothing answers
    return JSONResponse({"error": "busy"}, 503, {"Retry-After": f"{wait:.0f}"})


if __name__ == "__main__":
    uvicorn.run(app, port=int(os.environ.get("PORT", "5000")), log_level="warning")
