"""Asks whether the locks can be installed elsewhere: `python -m ops.run.pythons [LOCK …]`, as CI does for `runtime`.

pip looks for a wheel of each locked package, with one of its locked hashes, for each Python and machine below, and installs
nothing. An index that does not answer is said and exits with 0; a package without a wheel exits with 1.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from ops.run.words import say

ROOT = Path(__file__).resolve().parents[2]
PYTHONS = ("3.12", "3.13", "3.14")
#: The tags of each machine's wheels.
MACHINES = {
    "Linux x86-64": [f"manylinux{tag}_x86_64" for tag in ("2014", "_2_17", "_2_26", "_2_27", "_2_28")],
    "Linux ARM": [f"manylinux{tag}_aarch64" for tag in ("2014", "_2_17", "_2_26", "_2_27", "_2_28")],
    "macOS ARM": [f"macosx_{number}_0_arm64" for number in (11, 12, 13, 14)] + ["macosx_11_0_universal2"],
    "macOS Intel": [f"macosx_10_{number}_x86_64" for number in (9, 12, 13)]
    + [f"macosx_{number}_0_x86_64" for number in (11, 12, 13, 14)]
    + ["macosx_10_9_universal2"],
}
#: Packages that Intel Macs go without (requirements/runtime.in); pip judges markers by this machine, not by that one.
NOT_ON_INTEL = ("ai-edge-litert", "backports-strenum")
#: Seconds for one Python, machine and lock.
PATIENCE = 300.0


def main(arguments: list[str]) -> int:
    """Ask for each lock, `runtime` by default, and each Python, on Linux x86-64; `--all`: on all machines."""
    machines = list(MACHINES) if "--all" in arguments else ["Linux x86-64"]
    locks = [name for name in arguments if not name.startswith("-")] or ["runtime"]
    failed = False
    for lock in locks:
        text = (ROOT / "requirements" / f"{lock}.txt").read_text()
        for machine in machines:
            for python in PYTHONS:
                lacking = ask(text if machine != "macOS Intel" else without(text, NOT_ON_INTEL), python, machine)
                say(f"wheels: {lock}, Python {python}, {machine}: {lacking or 'all'}")
                failed = failed or (lacking is not None and lacking.startswith("none of"))
    return int(failed)


def without(lock: str, packages: tuple[str, ...]) -> str:
    """The lock without some packages."""
    blocks = re.split(r"\n(?=[\w.-]+==)", lock)
    return "\n".join(block for block in blocks if block.split("==")[0] not in packages)


def ask(lock: str, python: str, machine: str) -> str | None:
    """What is lacking for this Python on this machine, in words; None if nothing is."""
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "lock.txt"
        file.write_text(lock)
        command = [sys.executable, "-m", "pip", "install", "--dry-run", "--quiet", "--disable-pip-version-check"]
        command += ["--target", directory, "--ignore-installed", "--no-deps", "--require-hashes", "-r", str(file)]
        command += ["--only-binary", ":all:", "--implementation", "cp", "--python-version", python]
        command += [part for abi in (f"cp{python.replace('.', '')}", "abi3", "none") for part in ("--abi", abi)]
        command += [part for tag in MACHINES[machine] for part in ("--platform", tag)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            return "not known, the index was too slow"
    if done.returncode == 0:
        return None
    package = re.search(r"No matching distribution found for (\S+)", done.stderr)
    return f"none of {package[1]}" if package else "not known, the index did not answer"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
