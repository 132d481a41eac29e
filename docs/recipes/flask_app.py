"""A relying party in Flask: it creates sessions, takes the webhook, and reads the verdict. `python flask_app.py`."""

import os

from flask import Flask, jsonify, request

from liveness_client import Busy, Client, ClientError, InvalidWebhook, Refused, verify_webhook

SERVICE = os.environ["LIVENESS_URL"]  # https://liveness.example.org
KEY = os.environ["LIVENESS_KEY"]  # ops/keys create --policy "preset=standard.. num_challenges=3.."
SECRET = os.environ["LIVENESS_WEBHOOK_SECRET"]  # whsec_…, as POST /api/v1/webhooks answered it

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

app = Flask(__name__)
checks: dict[str, str] = {}  # session id → account; your database
ended: dict[str, dict] = {}  # session id → event that ended it; your database


def account() -> str:
    """Return who is logged in: yours to fill in."""
    return "account-7"


@app.get("/")
def page():
    """Show the element."""
    return PAGE.replace("SERVICE", SERVICE)


@app.post("/session")
def create():
    """Create a session with the server's key; the browser gets the token of this session only."""
    wishes = request.get_json()
    with Client(SERVICE, token=KEY) as liveness:
        session = liveness.open(
            challenges=3,
            timeout_seconds=10,
            reveal="next",
            sequence="required",  # the element sends what it asks for
            exclude=wishes.get("exclude", []),  # what the person says they cannot do
            subject=account(),  # failed attempts are counted by it
            token=True,
        )
    checks[session.id] = account()
    return {"session_id": session.id, "token": session.token}


@app.post("/webhook")
def webhook():
    """Take an event; it may come twice, and before or after the browser's own request."""
    event = verify_webhook(request.get_data(), request.headers, SECRET)
    ended[event["subject"]] = event
    return "", 204


@app.get("/result/<session_id>")
def result(session_id: str):
    """Read the verdict from the service: what a browser says about itself proves nothing."""
    if checks.get(session_id) != account():
        return {"error": "not_found"}, 404
    with Client(SERVICE, token=KEY) as liveness:
        session = liveness.look(session_id)
    if session.state in ("pending", "in_progress"):
        return {"error": "not_ended"}, 409
    return {"live": session.is_live is True, "state": session.state, "told": session_id in ended}


@app.errorhandler(InvalidWebhook)
def forged(error: InvalidWebhook):
    """Refuse a call that the service did not make."""
    return {"error": error.reason}, 401


@app.errorhandler(ClientError)
def unavailable(error: ClientError):
    """Say what the service's answer means for the browser."""
    if isinstance(error, Refused):  # 404: the session was cancelled; 422: the policy forbids what is asked for
        return {"error": error.code}, 404 if error.status == 404 else 502
    answer = jsonify(error="busy")  # Busy, or Unreachable: nothing answers
    answer.headers["Retry-After"] = f"{error.wait if isinstance(error, Busy) else 5:.0f}"
    return answer, 503


if __name__ == "__main__":
    app.run(port=int(os.environ.get("PORT", "5000")))
