"""Rewrites the tables of docs/capacity.md, which stand between two comments: `ops/capacity tables --write`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ops.lab.bench.machine import TOP
from ops.lab.bench.report import Table

PAGE = TOP / "docs" / "capacity.md"
PLOT = TOP / "docs" / "images" / "capacity-latency.svg"
_BEGIN = "<!-- made by ops/capacity tables --write -->\n"
_END = "<!-- until here -->\n"


def text_of(tables: Iterable[Table]) -> str:
    """The text to stand between the comments."""
    return "\n" + "\n".join(table.markdown() for table in tables) + "\n"


def kept(page: Path = PAGE) -> str:
    """The text that stands between them now. Raises ValueError if the comments are missing."""
    text = page.read_text(encoding="utf-8")
    return text[text.index(_BEGIN) + len(_BEGIN) : text.index(_END)]


def put(text: str, page: Path = PAGE) -> None:
    """Replace the text between the comments."""
    whole = page.read_text(encoding="utf-8")
    page.write_text(whole.replace(_BEGIN + kept(page) + _END, _BEGIN + text + _END), encoding="utf-8")
