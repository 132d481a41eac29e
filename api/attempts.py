"""The limit of failed sessions for one subject within a window of time.

Patience is an attack: an attacker with any number of tries gets through in the end. The caller names the subject; only a
keyed hash of the name is stored, which tells nothing without the service's secret.
"""

from __future__ import annotations

import hashlib
import hmac

from api.access import Who, caller, secret, sees_verdict
from api.context import arrived_at
from api.problems import ProblemError
from api.resources import resources
from shared.db import UnitOfWork

_PURPOSE = "subjects"


def hashed(subject: str) -> str:
    """The keyed hash of a subject's name, as 64 hex digits.

    All server keys share their names; each client key has names of its own. Otherwise a client key taken from an app could
    use up the attempts of anyone whose name is known.
    """
    owner = "" if caller().who is Who.SERVER else str(caller().key_id)
    return hmac.new(secret().key(_PURPOSE), f"{owner}\0{subject}".encode(), hashlib.sha256).hexdigest()


def spent(uow: UnitOfWork, subject: str) -> bool:
    """Whether the subject (hashed) has no attempt left, for a caller that may not see the verdict; locks the subject.

    The session of such a caller is created all the same, and is not live: a refusal would tell how its last sessions ended.
    For other callers, raises `too_many_attempts`.

    An open session counts until it has ended: otherwise many could be opened at once and played one after the other.
    """
    settings, at = resources().settings, arrived_at()
    if not settings.attempts:
        return False
    uow.attempts.lock(subject)
    failed = uow.attempts.failed(subject, at - settings.attempts_window)
    free_at = sorted([*(then + settings.attempts_window for then in failed), *uow.attempts.open(subject)])
    if len(free_at) < settings.attempts:
        return False
    if sees_verdict():
        raise ProblemError("too_many_attempts", retry_after=free_at[len(free_at) - settings.attempts] - at)
    return True
