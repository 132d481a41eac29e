"""`python -m ops.tables`: writes the tables in docs/ that are made from the code; `--check` only says which are stale."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from shared.liveness.evidence import LIMITS, SPECIES, Code, Preset
from shared.liveness.evidence.meanings import MEANINGS

EVIDENCE = Path(__file__).parents[1] / "docs" / "evidence.md"
_BEGIN, _END = "<!-- made by `python -m ops.tables` -->\n", "<!-- end -->\n"


def evidence_table() -> str:
    """Each code with its meaning, its species and its limits."""
    head = ["code", "what it says, and its score", "species", *(f"`{preset}`" for preset in Preset)]
    rows = [
        [
            f"`{code}`",
            MEANINGS[code],
            SPECIES[code],
            *(f"{LIMITS[p][code]:g}" if code in LIMITS[p] else "–" for p in Preset),
        ]
        for code in Code
    ]
    return "".join(f"| {' | '.join(row)} |\n" for row in (head, ["---"] * len(head), *rows))


def renewed(text: str) -> str:
    """The page with its table as it should be now."""
    before, begin, rest = text.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError("The page has no place for its table")
    return f"{before}{begin}\n{evidence_table()}\n{end}{after}"


def main() -> int:
    """Write, or check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; 1 if a table is stale")
    check = parser.parse_args().check
    text = EVIDENCE.read_text()
    fresh = renewed(text)
    if fresh == text:
        return 0
    if check:
        print(f"{EVIDENCE.name} is stale: run python -m ops.tables")
        return 1
    EVIDENCE.write_text(fresh)
    return 0


if __name__ == "__main__":
    sys.exit(main())
