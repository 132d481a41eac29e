"""At most so many failed sessions for one subject in a window of time, then a pause.

Patience is an attack: whoever may try as often as they like gets through in the end. The caller says who is being tried by
a name of its own; kept is a keyed hash of it, which tells nobody anything who has not the service's secret.
"""

from __future__ import annotations

import hashlib
import hmac

from api.access import Who, caller, secret
from api.context import arrived_at
from api.problems import ProblemError
from api.resources import resources
from shared.db import UnitOfWork

_PURPOSE = "subjects"


def hashed(subject: str) -> str:
    """What is kept of a subject's name.

    All server keys mean the same person by a name, and nobody else does: else whoever has taken a client key out of an
    app could use up the attempts of anybody whose name is known.
    """
    owner = "" if caller().who is Who.SERVER else str(caller().key_id)
    return hmac.new(secret().key(_PURPOSE), f"{owner}\0{subject}".encode(), hashlib.sha256).hexdigest()


def refuse_too_many(uow: UnitOfWork, subject: str) -> None:
    """Raise 429 where this subject (hashed) has no attempt left; else nobody takes it before this unit ends.

    One that has not ended counts until it has: else many would be opened at once, and played one after the other.
    """
    settings, at = resources().settings, arrived_at()
    if not settings.attempts:
        return
    uow.attempts.lock(subject)
    failed = uow.attempts.failed(subject, at - settings.attempts_window)
    free_at = sorted([*(then + settings.attempts_window for then in failed), *uow.attempts.open(subject)])
    if len(free_at) >= settings.attempts:
        raise ProblemError("too_many_attempts", retry_after=free_at[len(free_at) - settings.attempts] - at)
