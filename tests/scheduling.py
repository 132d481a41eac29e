"""How pytest-xdist shares the tests out among its processes: file by file, the longest file first."""

from __future__ import annotations

import pytest
from xdist.scheduler import LoadFileScheduling

#: Files that take longest, the longest first. A process that began with one of these near the end of a run would keep the
#: others waiting; a file that is missing here costs seconds, never a result. From `--durations`.
LONGEST = (
    "tests/e2e/test_check.py",
    "tests/e2e/test_browsers.py",
    "tests/e2e/test_lab.py",
    "tests/integration/events/test_relay.py",
    "tests/unit/lab/evaluate/test_command.py",
    "tests/unit/vision/test_gestures_seen.py",
    "tests/integration/queue/test_broker.py",
    "tests/integration/events/test_webhooks.py",
    "tests/integration/queue/test_failover.py",
    "tests/integration/run/test_starting.py",
    "tests/integration/api/test_health.py",
    "tests/integration/recipes/test_recipes.py",
    "tests/e2e/test_react.py",
    "tests/unit/clients/test_package.py",
    "tests/integration/workers/test_kill.py",
    "tests/integration/workers/test_passive.py",
    "tests/e2e/test_deployment.py",
    "tests/unit/vision/test_flex.py",
    "tests/e2e/test_faults.py",
    "tests/unit/lab/bench/test_vision_part.py",
    "tests/integration/api/test_roles.py",
    "tests/integration/api/test_server.py",
    "tests/integration/workers/test_processes.py",
    "tests/integration/api/test_frames.py",
    "tests/integration/serving/test_worker.py",
    "tests/unit/vision/test_mixing.py",
    "tests/integration/workers/test_vision.py",
    "tests/integration/api/test_verdict.py",
    "tests/e2e/test_bench.py",
    "tests/unit/lab/evaluate/test_fitting_command.py",
    "tests/integration/workers/test_identity_alone.py",
    "tests/unit/clients/test_npm_package.py",
    "tests/unit/clients/test_life.py",
    "tests/unit/lab/replay/test_replay.py",
)
_RANKS = {file: rank for rank, file in enumerate(LONGEST)}

#: Files whose tests one process runs, since they share what is slow to start: the service and the browser.
BROWSER = "tests/e2e/test_check.py", "tests/e2e/test_browsers.py", "tests/e2e/test_lab.py"


def rank(item: pytest.Item) -> int:
    """The place of a test's file in the order of files; files that are not among the longest keep their order."""
    return _RANKS.get(file_of(item.nodeid), len(_RANKS))


def file_of(nodeid: str) -> str:
    """The path of a test's file, from the project's top."""
    return nodeid.split("::", 1)[0]


class FileByFile(LoadFileScheduling):
    """`--dist loadfile`, but the tests of the browser stay together."""

    def _split_scope(self, nodeid: str) -> str:
        file = file_of(nodeid)
        return "browser" if file in BROWSER else file
