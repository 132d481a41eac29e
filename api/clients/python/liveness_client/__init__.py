"""A client of the liveness service, for Python programs: sync and async, with the life cycle of a front end.

    with Client("http://localhost:8000") as client:
        outcome = client.check(lambda seconds: camera_jpeg(), challenges=3)
    print("live" if outcome.live else outcome.state)

Or step by step, with `submit` repeated 5 to 10 times a second until `reply.ended`:

    session = client.open(challenges=3)
    reply = client.submit(session.id, jpeg)

A server that receives webhooks or signed verdicts checks them with `verify_webhook` and `verify_verdict`.
"""

from liveness_client.asynchronous import AsyncClient
from liveness_client.codes import ENDED, PROBLEMS, UNUSABLE, ChallengeType, Preset, State
from liveness_client.errors import Busy, ClientError, InvalidVerdict, InvalidWebhook, Refused, Unreachable
from liveness_client.keys import AsyncKeys, Keys
from liveness_client.life import Listener
from liveness_client.models import Challenge, Framing, Outcome, Reply, Session
from liveness_client.sync import Client
from liveness_client.verdicts import Verdict, verify_verdict, verify_verdict_async
from liveness_client.webhooks import TOLERANCE, Event, verify_webhook
from liveness_client.wire import ANSWER_WITHIN, USUAL_WAIT, Options

__all__ = [
    "ANSWER_WITHIN",
    "ENDED",
    "PROBLEMS",
    "TOLERANCE",
    "UNUSABLE",
    "USUAL_WAIT",
    "AsyncClient",
    "AsyncKeys",
    "Busy",
    "Challenge",
    "ChallengeType",
    "Client",
    "ClientError",
    "Event",
    "Framing",
    "InvalidVerdict",
    "InvalidWebhook",
    "Keys",
    "Listener",
    "Options",
    "Outcome",
    "Preset",
    "Refused",
    "Reply",
    "Session",
    "State",
    "Unreachable",
    "Verdict",
    "verify_verdict",
    "verify_verdict_async",
    "verify_webhook",
]
