"""A service for tests, without its web: Redis, rows, worker processes, and a client that does what the API does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import psutil
from sqlalchemy import Engine, func, select

from shared.db import UnitOfWork, make_engine
from shared.db.tables import frames
from shared.handoff import answers, faces, frame_pictures, inflight
from shared.handoff.answers import Answer
from shared.liveness.challenge import ChallengeType
from shared.liveness.options import NO_OPTIONS, Options
from shared.liveness.session import FrameResult, Session
from shared.queue.broker import make_broker
from shared.queue.messages import FRAMES, enqueue_frame, enqueue_reference
from shared.redis import keyspace
from shared.redis.client import make_redis
from shared.settings import Settings
from shared.weights_file import write_weights
from tests.integration import schema
from tests.integration.workers.scripted_worker import Script
from tests.unit.liveness.weights import WEIGHTS
from tests.waiting import PATIENCE, until

ROOT = Path(__file__).parents[3]
#: In place of a module: what the Procfile runs, which loads packages before it forks.
PRELOADED = "preloaded"
SCRIPTED = "tests.integration.workers.scripted_worker:main"


def result_of(answer: Answer | None) -> FrameResult:
    """The result that it must hold."""
    assert answer is not None, "no answer in time"
    assert answer.result is not None, answer.problem
    return answer.result


def problem_of(answer: Answer | None) -> str:
    """The code of the problem that it must hold."""
    assert answer is not None, "no answer in time"
    assert answer.problem is not None, answer.result
    return answer.problem.code


def end_with_children(process: subprocess.Popen[bytes]) -> None:
    """End a process and what it started, at once; returns when none of them runs."""
    children = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    for child in children:
        child.kill()
    process.wait()
    until(lambda: not any(_runs(child) for child in children))


def _runs(process: psutil.Process) -> bool:
    # Without its parent it is a zombie until process 1 looks after it, which may take that one seconds.
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class WorkerProcess:
    """`dramatiq MODULE -p 1 -t 1`, or `python -m workers …`: a process that watches, and its child, which works."""

    def __init__(self, module: str, environment: dict[str, str], log: Path, queue: str) -> None:
        self._log = log
        program = ["workers"] if module == PRELOADED else ["dramatiq", module]
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *program, "-p", "1", "-t", "1", "-Q", queue],
                cwd=ROOT,
                env=environment,
                stdout=output,
                stderr=output,
            )

    @property
    def log(self) -> str:
        """What it has said so far."""
        return self._log.read_text()

    @property
    def children(self) -> set[int]:
        """The ids of the processes that it has started."""
        return {child.pid for child in psutil.Process(self._process.pid).children(recursive=True)}

    def kill(self) -> None:
        """Kill the child that works with -9; the one that watches ends by itself."""
        children = psutil.Process(self._process.pid).children(recursive=True)
        # Besides the worker there is multiprocessing's resource tracker.
        for child in children:
            if "resource_tracker" not in " ".join(child.cmdline()):
                child.kill()

    def ended(self) -> int:
        """Wait for its end; its exit code."""
        return self._process.wait(PATIENCE)

    @property
    def has_ended(self) -> bool:
        """Whether it runs no more."""
        return self._process.poll() is not None

    def terminate(self) -> None:
        """Ask it to stop, as a supervisor does."""
        self._process.terminate()

    def renew(self) -> None:
        """Ask it to start over."""
        self._process.send_signal(signal.SIGHUP)

    def close(self) -> None:
        """End it and what it started, at once."""
        if self._process.poll() is None:
            end_with_children(self._process)
        self._process.wait()


class Service:
    """The parts, and what a client can do with them."""

    def __init__(
        self, redis_url: str, directory: Path, *, prepare: Callable[[Engine], None] = schema.create, **settings: object
    ) -> None:
        """Its verdicts go by the tests' own weights, which stay what they are, unless `settings` say otherwise.

        prepare: gives the database the schema.
        """
        weights = directory / "weights.json"
        write_weights(weights, WEIGHTS)
        self.settings = Settings(
            redis_url=redis_url,
            log_format="json",
            **{"database_url": f"sqlite:///{directory}/rows.db", "evidence_weights": weights, **settings},
        )
        self.engine = make_engine(self.settings.database_url)
        prepare(self.engine)
        self.redis = make_redis(redis_url, blocks_for=self.settings.frame_deadline)
        self.broker = make_broker(self.settings)
        self.workers: list[WorkerProcess] = []
        self.directory = directory
        self._posting = ThreadPoolExecutor(16)

    def start_workers(
        self, count: int, module: str = SCRIPTED, queue: str = FRAMES, **environment: str
    ) -> list[WorkerProcess]:
        """Start so many more; returns when they take messages of their queue."""
        started = [self.start_process(module, queue, **environment) for _ in range(count)]
        until(lambda: all(self._serves(worker, queue) for worker in started))
        return started

    def start_process(self, module: str, queue: str = FRAMES, **environment: str) -> WorkerProcess:
        """Start one, in this environment beside the service's own settings; returns at once."""
        own = {name.upper(): str(value) for name, value in self.settings.model_dump(exclude_none=True).items()}
        log = self.directory / f"worker{len(self.workers)}.log"
        self.workers.append(WorkerProcess(module, os.environ | own | environment, log, queue))
        return self.workers[-1]

    def open(
        self,
        *types: ChallengeType,
        timeout: float = 30.0,
        at: float | None = None,
        mirrored: bool = False,
        identify: bool = False,
        reference: Script | None = None,
        passive: bool = False,
        options: Options = NO_OPTIONS,
    ) -> str:
        """The id of a new session."""
        session = Session.open(
            str(uuid.uuid4()),
            list(types or (ChallengeType.TURN_LEFT, ChallengeType.BLINK)),
            timeout_seconds=timeout,
            at=time.time() if at is None else at,
            ttl=300,
            mirrored=mirrored,
            identify=identify,
            reference=reference is not None,
            passive=passive,
            options=options,
        )
        with UnitOfWork(self.engine) as uow:
            uow.sessions.add(session)
            uow.commit()
        if reference is not None:
            faces.put_picture(self.redis, session.id, reference.encode())
            enqueue_reference(self.broker, session.id, session.expires_at)
        return session.id

    def send(
        self, session_id: str, picture: Script | bytes, *, at: float | None = None, frame_id: str | None = None
    ) -> Future[Answer | None]:
        """Post a frame, as the API does; the answer comes later, None at the deadline."""
        at = time.time() if at is None else at
        frame_id = frame_id or str(uuid.uuid4())
        data = picture.encode() if isinstance(picture, Script) else picture
        inflight.enter(self.redis, session_id, frame_id, at)
        frame_pictures.put(self.redis, frame_id, data, self.settings.frame_ttl)
        inflight.wait(self.redis, frame_id, time.time())
        enqueue_frame(self.broker, session_id, frame_id, at)
        return self._posting.submit(self._wait, session_id, frame_id)

    def post(self, session_id: str, picture: Script | bytes, *, at: float | None = None) -> Answer:
        """Post a frame and wait for its answer."""
        answer = self.send(session_id, picture, at=at).result()
        assert answer is not None, [worker.log for worker in self.workers]
        return answer

    def session(self, session_id: str) -> Session | None:
        """The session as it is in its rows."""
        with UnitOfWork(self.engine, read_only=True) as uow:
            return uow.sessions.get(session_id)

    @property
    def logs(self) -> str:
        """What all workers have said so far."""
        return "".join(worker.log for worker in self.workers)

    def frames_of(self, session_id: str) -> int:
        """How many frames of the session were judged."""
        with self.engine.connect() as connection:
            count = connection.scalar(select(func.count()).select_from(frames).where(frames.c.session_id == session_id))
        return int(count or 0)

    def close(self) -> None:
        """Stop all of it."""
        for worker in self.workers:
            worker.close()
        self._posting.shutdown()
        self.broker.close()
        self.redis.close()
        self.engine.dispose()

    def _serves(self, worker: WorkerProcess, queue: str) -> bool:
        """Whether it, and not one that has been killed lately, gives signs of life."""
        assert not worker.has_ended, worker.log
        alive = self.redis.zrange(keyspace.workers(queue), 0, -1)
        return not worker.children.isdisjoint(int(name.decode().split(":")[1]) for name in alive)

    def _wait(self, session_id: str, frame_id: str) -> Answer | None:
        answer = answers.wait(self.redis, frame_id, self.settings.frame_deadline)
        if answer is None:
            inflight.leave(self.redis, session_id, frame_id)
            frame_pictures.drop(self.redis, frame_id)
        return answer
