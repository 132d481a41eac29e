"""What the rows of one frame cost: `python -m tests.integration.db.cost [--frames N] [URL]`.

One unit of work as a worker does it: get with a lock, recall 60 frames or more, most of them from memory, record, save,
commit. The session has findings and samples of faces already. Without a URL it measures a new SQLite file and, where the
machine has PostgreSQL, a new server of its own.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from contextlib import suppress

from sqlalchemy import Engine

from ops.lab.rig.processes import Missing
from ops.lab.rig.servers import QuickPostgres, running
from shared.db import FrameMemory, UnitOfWork, make_engine
from shared.liveness.frame import Frame
from shared.liveness.session import Session
from tests.integration import schema
from tests.unit.db import samples

RECALLED = 60
OBSERVATION = samples.observation()


def prepare(engine: Engine) -> Session:
    session = samples.pending(at=time.time())
    session.challenges[0].started_at = session.created_at
    session.findings, session.identity = 2 * samples.findings(), samples.identity()
    with UnitOfWork(engine) as uow:
        uow.sessions.add(session)
        for number in range(RECALLED):
            frame = Frame(samples.new_id(), session.created_at + number / 10, OBSERVATION)
            uow.sessions.record(session.id, frame, samples.result(session.id))
        uow.commit()
    return session


def judge(engine: Engine, session_id: str, at: float, memory: FrameMemory) -> None:
    frame = Frame(samples.new_id(), at, OBSERVATION)
    with UnitOfWork(engine) as uow:
        session = uow.sessions.get(session_id, lock=True)
        assert session is not None
        uow.sessions.load_frames(session, at, memory)
        assert len(session.frames) >= RECALLED
        assert uow.sessions.record(session_id, frame, samples.result(session_id))
        uow.sessions.save(session)
        uow.commit()


def measure(url: str, count: int) -> None:
    engine = make_engine(url)
    schema.upgrade(engine)
    memory = FrameMemory()
    sessions = [prepare(engine) for _ in range(max(1, count // 20))]
    for session in sessions[:5]:
        judge(engine, session.id, session.created_at + 7, memory)  # statements are compiled, connections open
    laps = []
    cpu = time.process_time()
    for number in range(count):
        session = sessions[number % len(sessions)]
        begun = time.perf_counter()
        judge(engine, session.id, session.created_at + 7 + number / count, memory)
        laps.append(1000 * (time.perf_counter() - begun))
    cpu = 1000 * (time.process_time() - cpu) / count
    laps.sort()
    median, worst = laps[count // 2], laps[int(0.99 * count)]
    name = engine.dialect.name
    print(f"{name}: {cpu:.2f} ms of CPU a frame, {median:.2f} ms in the median, 99 % within {worst:.2f}")  # noqa: T201
    engine.dispose()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", nargs="?")
    parser.add_argument("--frames", type=int, default=1000)
    arguments = parser.parse_args()
    if arguments.url:
        return measure(arguments.url, arguments.frames)
    with tempfile.TemporaryDirectory() as directory:
        measure(f"sqlite:///{directory}/rows.db", arguments.frames)
    with suppress(Missing), running(QuickPostgres) as server:
        measure(server.url, arguments.frames)
    return None


if __name__ == "__main__":
    main()
