"""Reads and writes measured.toml: the costs of a frame, and how they were measured."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

#: The file.
MEASURED = Path(__file__).with_name("measured.toml")


@dataclass(frozen=True, slots=True)
class Measured:
    """Values by stack (embedded, full) and name, in the units of UNITS."""

    about: Mapping[str, str]
    embedded: Mapping[str, float]
    full: Mapping[str, float]
    #: Milliseconds of a frame's vision: quantiles in equal steps.
    vision_ms: Sequence[float]

    @classmethod
    def read(cls, path: Path = MEASURED) -> Measured:
        """Read the file."""
        with path.open("rb") as file:
            told = tomllib.load(file)
        values = {
            kind: {name: float(entry["value"]) for name, entry in told[kind].items()} for kind in ("embedded", "full")
        }
        return cls(told["about"], values["embedded"], values["full"], told["vision"]["quantiles_ms"])

    @classmethod
    def write(
        cls,
        about: Mapping[str, str],
        values: Mapping[str, Mapping[str, float]],
        vision_ms: Sequence[float],
        path: Path = MEASURED,
    ) -> None:
        """Write the file: each value with its unit, and the revision, machine and date."""
        how = f'by = "{about["command"]}", on = {about["date"]}'
        lines = ["# Written by ops/capacity measure; see docs/capacity.md.", "", "[about]"]
        lines += [f'{name} = "{value}"' for name, value in about.items()]
        for kind, some in values.items():
            lines += ["", f"[{kind}]"]
            lines += [f'{n} = {{ value = {v:.6g}, unit = "{unit_of(n)}", {how} }}' for n, v in some.items()]
        shown = ", ".join(f"{value:.3f}" for value in vision_ms)
        lines += ["", "[vision]", "# At each 5 % from 2.5 % to 97.5 %.", f"quantiles_ms = [{shown}]"]
        lines += [f'unit = "ms"\nby = "{about["command"]}"\non = {about["date"]}', ""]
        path.write_text("\n".join(lines), encoding="utf-8")


def unit_of(name: str) -> str:
    """The unit of a value."""
    if name == "identity_cpu_ms":
        return "ms of CPU a comparison"
    if name.startswith("run_"):
        return "frames a second" if name.endswith("_rate") else "ms" if name.endswith("_ms") else "share of frames"
    if name.endswith("_cpu_ms"):
        return "ms of CPU a frame"
    return "bytes a frame" if name.endswith("_bytes") else "a frame"
