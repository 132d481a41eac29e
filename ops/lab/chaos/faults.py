"""The faults: what each does to a running service, and what it may do to requests."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ops.lab.chaos.checks import ONLY_ANSWERS, UNSEEN, Tolerance
from ops.lab.rig.servers import Server
from ops.lab.rig.stack import GRACE, Backing, Stack

#: Seconds for which a server is stopped (SIGSTOP).
PAUSE = 10.0
#: Seconds for which the disk is full.
FULL = 8.0
#: Seconds by which a program's clock is wrong, and a server's; keys in Redis may expire later by as much.
OFF, SERVER_OFF = 60.0, 30.0
#: Seconds for which clocks are wrong.
JUMP = 8.0
#: nginx' statuses for a web process that does not listen, or died in the middle of a request.
_GATEWAY = frozenset({502, 504})


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault."""

    name: str
    #: What the fault does, in words for people.
    what: str
    #: Inflicts the fault; returns when it is over.
    do: Callable[[Stack], None]
    tolerance: Tolerance = ONLY_ANSWERS
    kinds: frozenset[Backing] = frozenset(Backing)
    #: Whether the stack needs a small disk, and clocks that can be wrong.
    disk: bool = False
    clock: bool = False
    #: Whether the wrong clock is a server's.
    of_server: bool = False
    #: Seconds that keys in Redis may stay beyond their time to live.
    lingers: float = 0.0


def _children_killed(name: str) -> Callable[[Stack], None]:
    """Kill a program with its parent and children."""

    def do(stack: Stack) -> None:
        for program in stack.programs_named(name)[:1]:
            program.kill()
        time.sleep(4.0)

    return do


def _worker_alone_killed(stack: Stack) -> None:
    """Kill the process that works on frames; dramatiq's parent process then ends, and the stack restarts the program."""
    program = stack.programs_named("worker")[0]
    for process in program.family()[1:]:
        if "resource_tracker" not in " ".join(process.cmdline()):
            process.kill()
    time.sleep(6.0)


def _all_workers_killed(stack: Stack) -> None:
    for program in stack.programs_named("worker"):
        program.kill()
    time.sleep(6.0)


def _web_worker_killed(stack: Stack) -> None:
    """Kill the process that answers; gunicorn's parent process starts another."""
    stack.programs_named("web")[0].family()[1].kill()
    time.sleep(4.0)


def _server(name: str) -> Callable[[Stack], Server]:
    return lambda stack: next(server for server in stack.servers if server.name == name)


def _paused(name: str) -> Callable[[Stack], None]:
    def do(stack: Stack) -> None:
        with _server(name)(stack).hung():
            time.sleep(PAUSE)

    return do


def _restarted(name: str) -> Callable[[Stack], None]:
    def do(stack: Stack) -> None:
        _server(name)(stack).restart()
        time.sleep(4.0)

    return do


def _worker_stopped(stack: Stack) -> None:
    """Suspend a worker with a frame in hand, until nobody waits for the answer any more."""
    with stack.programs_named("worker")[0].hung():
        time.sleep(PAUSE)


def _disk_full(stack: Stack) -> None:
    assert stack.disk is not None
    stack.disk.fill()
    try:
        time.sleep(FULL)
    finally:
        stack.disk.empty()
    time.sleep(6.0)


def _clocks_jump(names: Sequence[str], *jumps: float) -> Callable[[Stack], None]:
    """Set the clocks of these programs wrong, all by one jump or each host's by its own, and then right again."""

    def do(stack: Stack) -> None:
        assert stack.clock is not None
        for name in names:
            for number, seconds in enumerate(jumps):
                stack.clock.set(name, seconds, None if len(jumps) == 1 else number)
        time.sleep(JUMP)
        for name in names:
            stack.clock.set(name, 0.0)
        time.sleep(4.0)

    return do


def _server_jumps(name: str, *jumps: float) -> Callable[[Stack], None]:
    """Set a server's clock wrong by one jump after the other, and then right again."""

    def do(stack: Stack) -> None:
        assert stack.clock is not None
        for seconds in jumps:
            stack.clock.set_server(name, seconds)
            time.sleep(JUMP)
        stack.clock.set_server(name, 0.0)
        time.sleep(4.0)

    return do


def _deployed(stack: Stack) -> None:
    """Start new processes beside the old ones, and end each old one once its successor is ready."""
    old = [(name, p) for name in ("web", "worker", "identity", "clock", "events") for p in stack.programs_named(name)]
    ports = list(stack.web_ports)
    spare = ports[-1]
    used = ports[:-1]
    for name, program in old:
        if name == "web":
            stack.start_web(spare)
            stack.wait_until_ready(port=spare)
            spare = used.pop(0)
        elif name in ("worker", "identity"):
            stack.start_worker(queue="frames" if name == "worker" else name)
            time.sleep(5.0)
        elif name == "clock":
            stack.start_clock()
        else:
            stack.start_events()
        stack.forget(program)
        if not program.end(within=GRACE):
            raise RuntimeError(f"{name} did not end within {GRACE:g} s of SIGTERM")


_CUT_OFF = Tolerance(also=_GATEWAY, at_most=12)
_FULL_ONLY = frozenset({Backing.FULL})
_WORKERS, _WEBS, _CLOCK = ("worker", "identity", "events"), ("web",), ("clock",)


def _clock(name: str, what: str, programs: Sequence[str], *jumps: float) -> Fault:
    return Fault(name, what, _clocks_jump(programs, *jumps), UNSEEN, clock=True)


def _server_clock(name: str, server: str, what: str, *jumps: float) -> Fault:
    return Fault(
        name,
        f"the clock of {server} jumps {what}",
        _server_jumps(server, *jumps),
        # Redis deletes keys that expire in the meantime: frames in hand, and answers.
        ONLY_ANSWERS if server == "Redis" else UNSEEN,
        kinds=frozenset(Backing) if server == "Redis" else _FULL_ONLY,
        clock=True,
        of_server=True,
        lingers=SERVER_OFF if server == "Redis" else 0.0,
    )


FAULTS: tuple[Fault, ...] = (
    Fault("nothing", "nothing goes wrong, for comparison", lambda _: time.sleep(6.0), UNSEEN),
    Fault("worker-killed", "kill -9 of the process that works on frames", _worker_alone_killed),
    Fault("workers-killed", "kill -9 of all workers at once, with their parents", _all_workers_killed),
    Fault("identity-killed", "kill -9 of the worker that compares faces", _children_killed("identity"), UNSEEN),
    Fault("web-killed", "kill -9 of the process that answers, under gunicorn", _web_worker_killed, _CUT_OFF),
    Fault("web-host-killed", "kill -9 of a web process with its parent", _children_killed("web"), _CUT_OFF),
    Fault("clock-killed", "kill -9 of the clock", _children_killed("clock"), UNSEEN),
    Fault("relay-killed", "kill -9 of the events' relay", _children_killed("events"), UNSEEN),
    Fault("worker-stopped", f"a worker is suspended for {PAUSE:g} s with a frame in hand", _worker_stopped),
    Fault("redis-restarted", "kill -9 of Redis, which keeps nothing, and a new start", _restarted("Redis")),
    Fault("redis-paused", f"Redis is stopped (SIGSTOP) for {PAUSE:g} s", _paused("Redis")),
    Fault("postgres-restarted", "kill -9 of PostgreSQL, recovery", _restarted("PostgreSQL"), kinds=_FULL_ONLY),
    Fault("postgres-paused", f"PostgreSQL is stopped for {PAUSE:g} s", _paused("PostgreSQL"), kinds=_FULL_ONLY),
    Fault("rabbitmq-restarted", "kill -9 of RabbitMQ, and a new start", _restarted("RabbitMQ"), kinds=_FULL_ONLY),
    Fault("rabbitmq-paused", f"RabbitMQ is stopped for {PAUSE:g} s", _paused("RabbitMQ"), kinds=_FULL_ONLY),
    Fault("deploy", "new processes beside the old, SIGTERM to the old one after the other", _deployed, UNSEEN),
    Fault("disk-full", f"the database's disk is full for {FULL:g} s", _disk_full, disk=True),
    _clock("workers-ahead", f"the workers' clocks are {OFF:g} s ahead for {JUMP:g} s", _WORKERS, OFF),
    _clock("workers-behind", f"the workers' clocks are {OFF:g} s behind for {JUMP:g} s", _WORKERS, -OFF),
    _clock("workers-apart", f"one worker host's clock is {OFF:g} s ahead, the other's behind", _WORKERS, OFF, -OFF),
    _clock("webs-ahead", f"the webs' clocks jump {OFF:g} s ahead for {JUMP:g} s", _WEBS, OFF),
    _clock("webs-behind", f"the webs' clocks jump {OFF:g} s back for {JUMP:g} s", _WEBS, -OFF),
    _clock("webs-apart", f"one web host's clock jumps {OFF:g} s ahead, the other's back", _WEBS, OFF, -OFF),
    _clock("clock-ahead", f"the clock's clock jumps {OFF:g} s ahead for {JUMP:g} s", _CLOCK, OFF),
    _clock("clock-behind", f"the clock's clock jumps {OFF:g} s back for {JUMP:g} s", _CLOCK, -OFF),
    _server_clock("redis-ahead", "Redis", f"{SERVER_OFF:g} s ahead for {JUMP:g} s", SERVER_OFF),
    _server_clock("redis-behind", "Redis", f"{SERVER_OFF:g} s back for {JUMP:g} s", -SERVER_OFF),
    _server_clock("postgres-clock", "PostgreSQL", f"{SERVER_OFF:g} s ahead, then back", SERVER_OFF, -SERVER_OFF),
    _server_clock("rabbitmq-clock", "RabbitMQ", f"{SERVER_OFF:g} s ahead, then back", SERVER_OFF, -SERVER_OFF),
)
