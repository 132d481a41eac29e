"""What a web process remembers of living sessions."""

from __future__ import annotations

from api import session_cache
from api.session_cache import TRUST, SessionCache
from shared.liveness.challenge import ChallengeType
from shared.liveness.session import Session


def session(session_id: str = "s", *, ttl: float = 300.0) -> Session:
    """One that was created at 1000."""
    return Session.open(session_id, [ChallengeType.BLINK], timeout_seconds=5, at=1000.0, ttl=ttl)


def test_a_session_is_taken_to_live_for_a_moment():
    """And only one that was seen."""
    living = SessionCache()
    assert not living.known("s", 1000.0)
    living.seen(session(), 1000.0)
    assert living.known("s", 1000.0 + TRUST - 0.01)
    assert not living.known("s", 1000.0 + TRUST)
    assert not living.known("another", 1000.0)


def test_never_beyond_the_moment_at_which_it_is_due():
    """An overdue session is ended by whoever looks it up."""
    living = SessionCache()
    living.seen(session(ttl=1.0), 1000.0)
    assert living.known("s", 1000.9)
    assert not living.known("s", 1001.0)


def test_what_is_forgotten_is_looked_up_again():
    """It was cancelled here."""
    living = SessionCache()
    living.seen(session(), 1000.0)
    living.forget("s")
    living.forget("s")
    assert not living.known("s", 1000.0)


def test_it_does_not_grow_for_ever(monkeypatch):
    """Those that were seen last stay."""
    monkeypatch.setattr(session_cache, "MOST", 10)
    living = SessionCache()
    for n in range(100):
        living.seen(session(str(n)), 1000.0)
    assert sum(living.known(str(n), 1000.0) is not None for n in range(100)) <= 10
    assert living.known("99", 1000.0)


def test_who_is_gone_is_dropped():
    """A web process that has seen a hundred thousand sessions holds those of the last two seconds."""
    living = SessionCache()
    for n in range(1000):
        at = 1000.0 + n * TRUST / 10
        living.seen(session(str(n), ttl=1e6), at)
        assert living.known(str(n), at)
    assert len(living) <= 11
    assert living.known("991", at)


def test_who_is_seen_again_stays():
    """Its place is that of its latest look-up."""
    living = SessionCache()
    for n in range(100):
        living.seen(session("faithful", ttl=1e6), 1000.0 + n * TRUST)
        living.seen(session(str(n), ttl=1e6), 1000.0 + n * TRUST)
        assert living.known("faithful", 1000.0 + n * TRUST)
    assert len(living) <= 4
