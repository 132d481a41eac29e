"""Asks for known weaknesses of the locked packages: `python -m ops.run.audit [LOCK …]`, as CI does.

pip-audit looks each package up at the package index, or at the index that pip is set up with. Where that index has no such
data, or pip-audit cannot be brought, this says so and exits with 0: a service that is away must not stop a release, and a
silence must not look like a clean result. A known weakness exits with 1.

The browser client has no packages of others, so there is nothing for `npm audit` (a test holds that).
"""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops.run.words import say

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = ROOT / "var" / "audit"
#: The tool runs in an environment of its own and is no part of the service.
TOOL = "pip-audit==2.10.1"
LOCKS = ("runtime", "tracing", "replay", "test")
#: Seconds that bringing the tool, and each lock, may take.
PATIENCE = 300.0


@dataclass(frozen=True)
class Outcome:
    """What is known of the packages of one lock."""

    looked_up: int
    #: Packages about which nothing could be learnt.
    unknown: int
    #: One line for each known weakness.
    weaknesses: tuple[str, ...]


def main(names: list[str]) -> int:
    """Audit the named locks, all of them by default; returns the exit status."""
    program = bring()
    if program is None:
        say(f"audit: not done, because {TOOL} cannot be brought")
        return 0
    failed = False
    for name in names or LOCKS:
        outcome = audit(program, ROOT / "requirements" / f"{name}.txt")
        say(words(name, outcome))
        failed = failed or bool(outcome and outcome.weaknesses)
    return int(failed)


def bring() -> Path | None:
    """The program pip-audit, installed by pip; None if it cannot be."""
    program = ENVIRONMENT / "bin" / "pip-audit"
    if program.exists():
        return program
    try:
        venv.create(ENVIRONMENT, clear=True, with_pip=True, symlinks=True)
        command = [str(ENVIRONMENT / "bin" / "python"), "-m", "pip", "install", "--quiet", "--no-input", TOOL]
        subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE)
    except (OSError, subprocess.SubprocessError):
        return None
    return program if program.exists() else None


def audit(program: Path, lock: Path) -> Outcome | None:
    """The outcome for one lock; None if pip-audit could not ask."""
    command = [str(program), "--disable-pip", "--require-hashes", "--progress-spinner", "off", "--format", "json"]
    try:
        done = subprocess.run(
            [*command, "-r", str(lock)], capture_output=True, text=True, check=False, timeout=PATIENCE
        )
        return judge(json.loads(done.stdout))
    except (OSError, ValueError, subprocess.SubprocessError):
        return None


def judge(report: dict[str, Any]) -> Outcome:
    """The outcome that pip-audit's report means: a package that it skipped is unknown, not clean."""
    packages = report["dependencies"]
    known = [package for package in packages if "skip_reason" not in package]
    weaknesses = tuple(
        f"{package['name']} {package['version']}: {found['id']}, repaired in {', '.join(found['fix_versions']) or 'none'}"
        for package in known
        for found in package["vulns"]
    )
    return Outcome(len(known), len(packages) - len(known), weaknesses)


def words(name: str, outcome: Outcome | None) -> str:
    """What to say of one lock."""
    if outcome is None or not outcome.looked_up:
        return f"audit of requirements/{name}.txt: not done, because the index has no data about weaknesses"
    unknown = f"; nothing is known about {outcome.unknown} others" if outcome.unknown else ""
    if not outcome.weaknesses:
        return f"audit of requirements/{name}.txt: no known weakness in {outcome.looked_up} packages{unknown}"
    return "\n  ".join((f"audit of requirements/{name}.txt: known weaknesses{unknown}", *outcome.weaknesses))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
