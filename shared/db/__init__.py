"""Rows: where sessions live between two frames.

`make_engine(url)` once a process, after the fork; then one `UnitOfWork(engine)` for each thing that is done.
"""

from __future__ import annotations

from shared.db.ending import Ending, OnEnd
from shared.db.engine import DATABASE_TIMEOUT, make_engine, ping
from shared.db.frame_memory import FrameMemory
from shared.db.sessions import SessionRepository
from shared.db.unit_of_work import UnitOfWork

__all__ = [
    "DATABASE_TIMEOUT",
    "Ending",
    "FrameMemory",
    "OnEnd",
    "SessionRepository",
    "UnitOfWork",
    "make_engine",
    "ping",
]
