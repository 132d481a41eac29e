"""People before a camera, as far as the tests of the identity check need them."""

from __future__ import annotations

import time

from shared.liveness.session import FrameResult, Session
from tests.integration.workers.scripted_worker import Script
from tests.integration.workers.service import Service, result_of

#: Two people: 0.9 apart.
ONE, OTHER = 50, 140


def stored(service: Service, session_id: str) -> Session:
    session = service.session(session_id)
    assert session is not None
    return session


def compared(service: Service, session_id: str) -> int:
    """How many distances have come in."""
    identity = stored(service, session_id).identity
    assert identity is not None
    return sum(sample.distance is not None for sample in identity.samples)


def show(
    service: Service, session_id: str, who: int = ONE, *, passes: bool = False, yaw: float = 0.0, after: float = 0.125
) -> FrameResult:
    """A frame of someone, as a client sends eight of a second; after: seconds since the one before."""
    time.sleep(after)
    return result_of(service.post(session_id, Script(who=who, passes=passes, yaw=yaw)))


def anchored(service: Service) -> set[str]:
    return {key.decode() for key in service.redis.keys("anchor:*")} | {
        key.decode() for key in service.redis.keys("chip:*")
    }
