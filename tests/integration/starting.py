"""The rig's servers for tests: skipped where the machine lacks one, an error in CI."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TypeVar

import pytest

from ops.lab.rig.processes import Missing
from ops.lab.rig.servers import Server, running

_S = TypeVar("_S", bound=Server)


@contextmanager
def started(kind: Callable[[Path], _S]) -> Iterator[_S]:
    """A server of this kind, gone after the block. It is never one that runs already: tests empty it."""
    with ExitStack() as ends:
        try:
            server = ends.enter_context(running(kind))
        except Missing as missing:
            if os.environ.get("CI"):
                pytest.fail(f"this machine lacks {missing}; in CI it must be installed", pytrace=False)
            pytest.skip(f"this machine lacks {missing}")
        yield server
