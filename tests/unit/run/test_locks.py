"""The locked packages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

REQUIREMENTS = Path(__file__).parents[3] / "requirements"
LOCKS = ["runtime", "tracing", "replay", "lab", "docs", "test", "dev"]
#: An environment of its own, with other versions: the benchmark's peers.
APART = ["peer"]


def pins(name: str) -> dict[str, str]:
    text = (REQUIREMENTS / f"{name}.txt").read_text()
    return dict(re.findall(r"^([\w.-]+)==(\S+)", text, re.MULTILINE))


@pytest.mark.parametrize("name", [*LOCKS, *APART])
def test_each_package_has_a_hash_and_no_address_is_in_it(name: str) -> None:
    text = (REQUIREMENTS / f"{name}.txt").read_text()
    for block in re.split(r"\n(?=\S)", text):
        if re.match(r"[\w.-]+==", block):
            assert "--hash=sha256:" in block
    assert "://" not in text


@pytest.mark.parametrize("name", LOCKS[1:])
def test_every_lock_has_the_versions_of_runtime(name: str) -> None:
    runtime, other = pins("runtime"), pins(name)
    assert {p: v for p, v in other.items() if p in runtime} == {p: v for p, v in runtime.items() if p in other}


def test_dlib_comes_as_wheels_only() -> None:
    assert "dlib-bin" in pins("runtime")
    assert "dlib" not in pins("dev")
