"""The look of all plots, as SVG: text stays text, nothing is loaded from elsewhere, equal figures give equal files."""

from __future__ import annotations

import io
from contextlib import AbstractContextManager
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

#: Okabe and Ito's colours, which colour-blind people can tell apart.
BLACK, ORANGE, SKY, GREEN, YELLOW, BLUE, RED, PINK = (
    "#222222", "#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7",
)  # fmt: skip
GREY = "#8a8a8a"
#: The order of colours that have no meaning of their own.
COLOURS = (BLUE, ORANGE, GREEN, PINK, SKY, RED, YELLOW, GREY)
#: Any, since the stubs type the keys as literals.
_STYLE: Any = {
    "svg.fonttype": "none",
    # Else the ids inside the file would be random.
    "svg.hashsalt": "plots",
    "font.family": ["DejaVu Sans", "sans-serif"],
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e4e4e4",
    "axes.axisbelow": True,
}


def style() -> AbstractContextManager[None]:
    """Inside the block, figures are made in this style."""
    return mpl.rc_context(_STYLE)


def svg(figure: Figure) -> str:
    """A figure's text."""
    text = io.StringIO()
    # No date, so that equal pictures give equal files.
    figure.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()
