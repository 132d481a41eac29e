"""How all our plots look, as SVG: text stays text, nothing is loaded from elsewhere, equal figures give equal files."""

from __future__ import annotations

import io
from contextlib import AbstractContextManager
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

#: Okabe and Ito's colours, which people who see few colours can tell apart.
BLACK, ORANGE, SKY, GREEN, YELLOW, BLUE, RED, PINK = (
    "#222222", "#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7",
)  # fmt: skip
GREY = "#8a8a8a"
#: One after the other, where colours mean nothing by themselves.
COLOURS = (BLUE, ORANGE, GREEN, PINK, SKY, RED, YELLOW, GREY)
#: Any: their keys are typed as literals.
_STYLE: Any = {
    "svg.fonttype": "none",
    # Else the names inside the file would be drawn by lot.
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
    """Within it, figures are made and written in our way."""
    return mpl.rc_context(_STYLE)


def svg(figure: Figure) -> str:
    """A figure's text."""
    text = io.StringIO()
    # No date in it: it would make two equal pictures differ.
    figure.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()
