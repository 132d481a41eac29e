"""Who has which cores while a load is measured."""

from __future__ import annotations

import os
import subprocess
import sys
from types import TracebackType
from typing import Self

import pytest

from ops.lab.bench.sides import Arrangement, arrangements

CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
pytestmark = pytest.mark.skipif(len(CORES) < 2, reason="needs two cores, and Linux")

TELL = "import os; print(sorted(os.sched_getaffinity(0)))"


class Started:
    """In place of a service: a program that says which cores it has."""

    said = ""

    def __enter__(self) -> Self:
        self.said = subprocess.run([sys.executable, "-c", TELL], capture_output=True, text=True, check=True).stdout
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass


def test_apart_the_load_has_the_last_core_and_the_service_all_others() -> None:
    apart, shared = arrangements()
    assert (apart.name, shared.name) == ("apart", "shared")
    assert (apart.service, apart.load) == ({*CORES[:-1]}, {CORES[-1]})
    assert shared.service == shared.load == {*CORES}


def test_what_is_started_has_the_service_s_cores_and_the_load_its_own() -> None:
    service = Started()
    with Arrangement("apart", frozenset(CORES[:1]), frozenset(CORES[1:2])).started(service):  # type: ignore[arg-type]
        assert service.said.strip() == f"[{CORES[0]}]"
        assert os.sched_getaffinity(0) == {CORES[1]}
    assert os.sched_getaffinity(0) == {*CORES}, "whatever is measured next has all of them again"
