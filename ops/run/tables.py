"""Writes the tables of docs/ that are made from the code: `python -m ops.run.tables`; `--check` only names stale ones."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from shared.liveness.evidence import FITTED, SPECIES, Code
from shared.liveness.evidence.meanings import MEANINGS
from shared.liveness.evidence.weighing import Group

EVIDENCE = Path(__file__).resolve().parents[2] / "docs" / "evidence.md"
_BEGIN, _END = "<!-- made by `python -m ops.run.tables` -->\n", "<!-- end -->\n"


def evidence_table() -> str:
    """The table of evidence: each code with its meaning, its species, and its bits by the group of the challenge."""
    head = ["code", "what it says, and its score", "species", *(f"`{group}`" for group in Group), "decides"]
    rows = [
        [f"`{code}`", MEANINGS[code], SPECIES[code], *(_bits(code, group) for group in Group), _decides(code)]
        for code in Code
    ]
    return "".join(f"| {' | '.join(row)} |\n" for row in (head, ["---"] * len(head), *rows))


def _bits(code: Code, group: Group) -> str:
    """The most bits that a code weighs for a person, and against one; a dash if it is recorded and not weighed."""
    curve = FITTED.curves.get(code, {}).get(group)
    return "–" if curve is None else f"{curve.bits[0]:+.2g} … {curve.bits[-1]:+.2g}"


def _decides(code: Code) -> str:
    limit = FITTED.decisive.get(code)
    if limit is None:
        return "–"
    return f"from {limit:g}" if limit > 1e-3 else "above 0"


def renewed(text: str) -> str:
    """The page with its table made anew. Raises ValueError if the page has no place for it."""
    before, begin, rest = text.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError("The page has no place for its table")
    return f"{before}{begin}\n{evidence_table()}\n{end}{after}"


def main() -> int:
    """Write the tables, or check them; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if a table is stale")
    check = parser.parse_args().check
    text = EVIDENCE.read_text()
    fresh = renewed(text)
    if fresh == text:
        return 0
    if check:
        print(f"{EVIDENCE.name} is stale: run python -m ops.run.tables")
        return 1
    EVIDENCE.write_text(fresh)
    return 0


if __name__ == "__main__":
    sys.exit(main())
