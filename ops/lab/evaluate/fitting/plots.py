"""The plots of a fit: the scores of people and of attacks, and what a threshold costs on either side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ops.lab.evaluate.charts import words
from ops.lab.evaluate.fitting.basis import Array
from ops.lab.evaluate.fitting.crossed import Crossed
from ops.lab.evaluate.outcome import Outcome
from ops.lab.plots import BLACK, BLUE, COLOURS, GREY, RED, style, svg
from shared.liveness.evidence import Preset

#: Bits beyond which a score is drawn at the edge: scores are rounded to four places.
EDGE: Final = 13.0
#: Species that have a colour of their own: the worst ones.
COLOURED: Final = len(COLOURS) - 1


def scores_chart(outcomes: Sequence[Outcome], found: Crossed) -> str:
    """The scores of completed sessions, people and species counting alike, with the presets' thresholds."""
    with style():
        figure = Figure(figsize=(9, 3.4), layout="constrained")
        axes = figure.subplots()
        for kind, colour, label in (("bona_fide", BLUE, "bona fide"), ("attack", RED, "attacks")):
            own = [(o, s) for o, s in zip(outcomes, found.scores, strict=True) if o.kind == kind and s is not None]
            n = Counter((o.species, o.person) for o, _ in own)
            weights = np.array([1 / n[o.species, o.person] for o, _ in own])
            bits = _bits([s for _, s in own])
            axes.hist(
                bits,
                bins=[float(b) for b in np.linspace(-EDGE, EDGE, 53)],
                weights=100 * weights / max(1.0, weights.sum()),
                histtype="stepfilled",
                alpha=0.45,
                color=colour,
                label=f"{label} ({len(own)})",
            )
        limits = found.weighing.thresholds
        _mark(axes, {f"{preset} {least:g}": float(_bits([least])[0]) for preset, least in limits.items()})
        ticks = [0.0002, 0.003, 0.03, 0.2, 0.5, 0.8, 0.97, 0.997, 0.9998]
        axes.set_xticks(_bits(ticks), [f"{t:g}" for t in ticks])
        axes.set(xlabel="score (even steps in bits)", ylabel="% of completed sessions", xlim=(-EDGE, EDGE))
        axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
        return svg(figure)


def species_chart(outcomes: Sequence[Outcome], found: Crossed) -> str:
    """BPCER against APCER by species, as the threshold moves; what was not completed is rejected on both sides."""
    least = np.array(sorted({s for s in found.scores if s is not None} | {0.0, 1.0001}))
    by_species = _accepted(outcomes, found.scores, least)
    genuine = by_species.pop("", np.zeros(len(least)))
    bpcer = 100 * (1 - genuine)
    at = {p: min(int(np.searchsorted(least, limit)), len(least) - 1) for p, limit in found.weighing.thresholds.items()}
    worst = sorted(by_species, key=lambda name: -float(by_species[name][at[Preset.STANDARD]]))
    with style():
        figure = Figure(figsize=(9, 4.6), layout="constrained")
        axes = figure.subplots()
        for i, name in enumerate(worst):
            colour, label = (COLOURS[i], words(name)) if i < COLOURED else (GREY, "others" if i == COLOURED else None)
            axes.plot(bpcer, 100 * by_species[name], color=colour, label=label, linewidth=1.4, drawstyle="steps-post")
        _mark(axes, {preset: float(bpcer[place]) for preset, place in at.items()})
        axes.set(xlabel="BPCER: bona fide sessions not live, %", ylabel="APCER: attacks live, %", ylim=(-1, None))
        axes.set_xlim(max(0.0, float(bpcer.min()) - 1), min(100.0, float(bpcer.min()) + 30))
        axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1), fontsize=8)
        return svg(figure)


def _accepted(outcomes: Sequence[Outcome], scores: Sequence[float | None], least: Array) -> dict[str, Array]:
    """Of each species (of bona fide sessions under ""), the share that is live at each of the thresholds."""
    grouped: dict[str, list[float]] = {}
    for outcome, score in zip(outcomes, scores, strict=True):
        grouped.setdefault(outcome.species, []).append(-1.0 if score is None else score)
    return {
        name: 1 - np.searchsorted(np.sort(np.array(own)), least, side="left") / len(own)
        for name, own in grouped.items()
    }


def _mark(axes: Axes, places: Mapping[str, float]) -> None:
    """A line with its name at each place; the names at different heights, as places may be close together."""
    for i, (name, place) in enumerate(places.items()):
        axes.axvline(place, color=BLACK, linewidth=0.9, linestyle="--")
        axes.annotate(
            name,
            (place, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(0, 2 + 9 * i),
            textcoords="offset points",
            ha="center",
            fontsize=7,
        )


def _bits(scores: Sequence[float]) -> Array:
    """Scores in bits: how often the odds were doubled."""
    own = np.clip(np.array(scores, dtype=float), 1e-6, 1 - 1e-6)
    return np.clip(np.log2(own / (1 - own)), -EDGE, EDGE)
