"""A relying party in Django, in one file: its views go into an app of yours as they are. `python django_app.py`."""

import json
import os
import sys

from django.conf import settings
from django.core.management import execute_from_command_line
from django.http import HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt, ensure_csrf_cookie
from django.views.decorators.http import require_GET, require_POST

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
    const token = document.cookie.match(/csrftoken=([^;]+)/)[1];
    const headers = { "Content-Type": "application/json", "X-CSRFToken": token };
    const answer = await fetch("/session", { method: "POST", headers, body: JSON.stringify(wishes) });
    if (answer.ok) return (session = await answer.json());
    throw { code: answer.status === 503 ? "busy" : "refused", retryAfter: Number(answer.headers.get("Retry-After")) };
  };
  check.addEventListener("liveness-completed", () => location.assign(`/result/${session.session_id}`));
</script></html>"""

checks: dict[str, str] = {}  # session id → account; your models
ended: dict[str, dict] = {}  # session id → event that ended it; your models


def account(_request) -> str:
    """Return who is logged in, such as `request.user`: yours to fill in."""
    return "account-7"


@require_GET
@ensure_csrf_cookie
def page(_request):
    """Show the element; Django's token against forged requests comes as a cookie."""
    return HttpResponse(PAGE.replace("SERVICE", SERVICE))


@require_POST
def create(request):
    """Create a session with the server's key; the browser gets the token of this session only."""
    wishes = json.loads(request.body)
    with Client(SERVICE, token=KEY) as liveness:
        session = liveness.open(
            challenges=3,
            timeout_seconds=10,
            reveal="next",
            sequence="required",  # the element sends what it asks for
            exclude=wishes.get("exclude", []),  # what the person says they cannot do
            subject=account(request),  # failed attempts are counted by it
            token=True,
        )
    checks[session.id] = account(request)
    return JsonResponse({"session_id": session.id, "token": session.token})


@require_POST
@csrf_exempt  # the service has no cookie; its signature is checked
def webhook(request):
    """Take an event; it may come twice, and before or after the browser's own request."""
    event = verify_webhook(request.body, request.headers, SECRET)
    ended[event["subject"]] = dict(event)
    return HttpResponse(status=204)


@require_GET
def result(request, session_id: str):
    """Read the verdict from the service: what a browser says about itself proves nothing."""
    if checks.get(session_id) != account(request):
        return JsonResponse({"error": "not_found"}, status=404)
    with Client(SERVICE, token=KEY) as liveness:
        session = liveness.look(session_id)
    if session.state in ("pending", "in_progress"):
        return JsonResponse({"error": "not_ended"}, status=409)
    return JsonResponse({"live": session.is_live is True, "state": session.state, "told": session_id in ended})


class ServiceErrors:
    """Middleware that says what an error of the client means for whoever asked."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        """Pass on the request."""
        return self.get_response(request)

    def process_exception(self, _request, error):
        """Answer in place of a view that raised."""
        if isinstance(error, InvalidWebhook):
            return JsonResponse({"error": error.reason}, status=401)
        if isinstance(error, Refused):  # 404: the session was cancelled; 422: the policy forbids what is asked for
            return JsonResponse({"error": error.code}, status=404 if error.status == 404 else 502)
        if isinstance(error, ClientError):  # Busy, or Unreachable: nothing answers
            wait = error.wait if isinstance(error, Busy) else 5
            return JsonResponse({"error": "busy"}, status=503, headers={"Retry-After": f"{wait:.0f}"})
        return None


urlpatterns = [
    path("", page),
    path("session", create),
    path("webhook", webhook),
    path("result/<str:session_id>", result),
]

if __name__ == "__main__":
    settings.configure(
        SECRET_KEY=os.environ.get("DJANGO_SECRET_KEY", "only for this example"),
        ROOT_URLCONF=__name__,
        ALLOWED_HOSTS=["localhost", "127.0.0.1"],
        MIDDLEWARE=["django.middleware.csrf.CsrfViewMiddleware", f"{__name__}.ServiceErrors"],
    )
    execute_from_command_line([sys.argv[0], "runserver", "--noreload", os.environ.get("PORT", "5000")])
