"""The database: where sessions are kept between two frames.

Call `make_engine(url)` once in each process, after the fork, and use one `UnitOfWork(engine)` for each change or read.
"""

from __future__ import annotations

from shared.db.ended import Ending, OnEnd
from shared.db.engine import DATABASE_TIMEOUT, make_engine, truncate_log
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
    "truncate_log",
]
