"""The plots of `ops/bench` and `ops/capacity`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from ops.lab.plots import COLOURS, style, svg


def stacked(title: str, unit: str, bars: Mapping[str, Mapping[str, float]]) -> str:
    """Bars made of parts: {bar: {part: amount}}."""
    with style():
        figure = Figure(figsize=(9, max(2.6, 0.6 + 0.45 * len(bars))), layout="constrained")
        axes = figure.subplots()
        parts = list(dict.fromkeys(part for bar in bars.values() for part in bar))
        left = [0.0] * len(bars)
        for i, part in enumerate(parts):
            amounts = [bar.get(part, 0.0) for bar in bars.values()]
            axes.barh(list(bars), amounts, left=left, color=COLOURS[i % len(COLOURS)], label=part)
            left = [a + b for a, b in zip(left, amounts, strict=True)]
        axes.set(title=title, xlabel=unit)
        axes.invert_yaxis()
        axes.legend(frameon=False, bbox_to_anchor=(1, 1), loc="upper left")
        return svg(figure)


def lines(title: str, x: str, y: str, series: Mapping[str, Sequence[tuple[float, float]]], *, log: bool = False) -> str:
    """A line for each name: {name: [(x, y), …]}."""
    with style():
        figure = Figure(figsize=(6, 3), layout="constrained")
        axes = figure.subplots()
        for (name, points), colour in zip(series.items(), COLOURS, strict=False):
            axes.plot(*zip(*points, strict=True), color=colour, marker="o", label=name)
        axes.set(title=title, xlabel=x, ylabel=y, ylim=(0, None))
        if log:
            axes.set_xscale("log")
        axes.legend(frameon=False)
        return svg(figure)


def grouped(title: str, unit: str, bars: Mapping[str, Mapping[str, float]]) -> str:
    """Horizontal bars, so that long names fit: {group: {name: amount}}; a name has one colour in all groups."""
    with style():
        names = list(dict.fromkeys(name for group in bars.values() for name in group))
        figure = Figure(figsize=(7, max(2.4, 0.8 + 0.18 * len(names) * len(bars))), layout="constrained")
        axes = figure.subplots()
        width = 0.8 / len(names)
        for i, name in enumerate(names):
            at = [place + (i - (len(names) - 1) / 2) * width for place in range(len(bars))]
            amounts = [group.get(name, 0.0) for group in bars.values()]
            axes.barh(at, amounts, width, color=COLOURS[i % len(COLOURS)], label=name)
        axes.set_yticks(range(len(bars)), list(bars))
        axes.invert_yaxis()
        axes.set(title=title, xlabel=unit)
        axes.legend(frameon=False)
        return svg(figure)
