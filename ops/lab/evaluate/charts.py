"""The plots of `ops/evaluate`."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ops.lab.evaluate.results import GestureRates, Rate, Reach, Verdicts
from ops.lab.evaluate.signals import Signals
from ops.lab.plots import BLACK, BLUE, GREEN, GREY, ORANGE, PINK, RED, SKY, YELLOW, style, svg
from shared.liveness.challenge import ChallengeType
from shared.liveness.observation import Face

EVENTS = {
    ChallengeType.TURN_LEFT: BLUE,
    ChallengeType.TURN_RIGHT: SKY,
    ChallengeType.LOOK_UP: GREEN,
    ChallengeType.LOOK_DOWN: YELLOW,
    ChallengeType.BLINK: GREY,
    ChallengeType.SMILE: PINK,
    ChallengeType.OPEN_MOUTH: ORANGE,
}


def words(code: str) -> str:
    """A gesture's or a species' name for people."""
    return code.replace("_", " ").lower()


def gesture_chart(rates: GestureRates) -> str:
    """Hits and false accepts by gesture with their intervals."""
    with style():
        figure = Figure(figsize=(9, 3.1), layout="constrained")
        left, right = figure.subplots(1, 2)
        _intervals(left, rates.hits, GREEN)
        left.set(title="Hits", xlim=(-2, 104), xlabel="%")
        _intervals(right, rates.false_accepts, RED)
        right.set(title="False accepts", xlim=(-0.5, None), xlabel="%")
        return svg(figure)


def rate_chart(all_rates: Sequence[GestureRates]) -> str:
    """Hits, false accepts and seconds by frame rate, a line for each engine."""
    with style():
        figure = Figure(figsize=(9, 2.8), layout="constrained")
        hits, others, seconds = figure.subplots(1, 3)
        for engine, colour in zip(dict.fromkeys(r.engine for r in all_rates), (BLUE, ORANGE), strict=False):
            rates = sorted((r for r in all_rates if r.engine == engine), key=lambda r: r.fps)
            fps = [r.fps for r in rates]
            for axes, of in ((hits, [r.hits["all"] for r in rates]), (others, [r.false_accepts["all"] for r in rates])):
                axes.errorbar(
                    fps, [100 * r.share for r in of], yerr=_bars(of), color=colour, marker="o", capsize=3, label=engine
                )
            seconds.plot(fps, [r.median() for r in rates], color=colour, marker="o", label=engine)
        hits.set(title="Hits, %", xlabel="frames a second")
        others.set(title="False accepts, %", xlabel="frames a second", ylim=(0, None))
        seconds.set(title="Median seconds, onset to pass", xlabel="frames a second", ylim=(0, None))
        hits.legend(frameon=False)
        return svg(figure)


def time_chart(rates: GestureRates) -> str:
    """Seconds to the pass of each hit, from the onset and from the labelled peak."""
    with style():
        figure = Figure(figsize=(9, 3.1), layout="constrained")
        left, right = figure.subplots(1, 2, sharey=True)
        for axes, by, since in ((left, rates.since_onset, "onset"), (right, rates.since_peak, "labelled peak")):
            names = [g for g in by if g != "all"]
            for row, gesture in enumerate(names):
                axes.scatter(by[gesture], _scattered(row, len(by[gesture])), s=16, color=BLUE, alpha=0.6, linewidth=0)
                middle = (
                    rates.median(gesture) if by is rates.since_onset else statistics.median(by[gesture] or [np.nan])
                )
                if middle is not None:
                    axes.plot([middle, middle], [row - 0.35, row + 0.35], color=BLACK, linewidth=1.5)
            axes.axvline(0, color=GREY, linewidth=1)
            axes.set_yticks(range(len(names)), [words(g) for g in names])
            axes.set(title=f"From the {since} to the pass", xlabel="seconds (line: median)")
        left.invert_yaxis()
        return svg(figure)


def reach_chart(reaches: Sequence[Reach]) -> str:
    """How far each gesture goes where it is labelled and elsewhere, and where the threshold is."""
    with style():
        figure = Figure(figsize=(9, 4.2), layout="constrained")
        for axes, reach in zip(figure.subplots(2, 4).flat, reaches, strict=False):
            for row, (values, colour) in enumerate(((reach.done, GREEN), (reach.otherwise, RED))):
                axes.scatter(values, _scattered(row, len(values)), s=12, color=colour, alpha=0.6, linewidth=0)
            axes.axvline(reach.needed, color=BLACK, linewidth=1.2)
            axes.set_yticks([0, 1], ["does it", "does not"])
            axes.set_ylim(1.5, -0.5)
            axes.set_title(words(reach.gesture))
            axes.set_xlabel(reach.unit, fontsize=8)
        for axes in figure.axes[len(reaches) :]:
            axes.set_visible(False)
        return svg(figure)


def signals_chart(signals: Signals) -> str:
    """A recording's signals over time, its labelled gestures shaded."""
    faces: list[Face | None] = [f.observation.face if f.observation.usable else None for f in signals.frames]
    at = [f.at for f in signals.frames]

    def course(of: str) -> list[float]:
        return [float("nan") if face is None else getattr(face, of) for face in faces]

    with style():
        figure = Figure(figsize=(9, 4.6), layout="constrained")
        head, eyes, mouth = figure.subplots(3, 1, sharex=True)
        head.plot(at, course("yaw"), color=BLUE, label="yaw: own left ↑")
        head.plot(at, course("pitch"), color=RED, label="pitch: up ↑")
        eyes.plot(at, course("left_eye"), color=BLUE, label="left eye")
        eyes.plot(at, course("right_eye"), color=RED, label="right eye")
        smile = np.subtract(course("mouth_width"), course("mouth_drop"))
        mouth.plot(at, smile - np.nanmedian(smile) if np.isfinite(smile).any() else smile, color=PINK, label="smile")
        mouth.plot(at, course("mouth_open"), color=ORANGE, label="lips apart")
        for axes, title in ((head, "degrees"), (eyes, "opening"), (mouth, "eye distances")):
            axes.set_ylabel(title)
            axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5), fontsize=8)
            for label in signals.labels:
                segment = label.segment
                axes.axvspan(segment.start, segment.end, color=EVENTS[label.gesture], alpha=0.16, linewidth=0)
                axes.axvline(segment.peak, color=EVENTS[label.gesture], linewidth=1)
        _mark_labels(head, signals)
        mouth.set_xlabel("seconds of the recording")
        return svg(figure)


def attack_chart(verdicts: Verdicts) -> str:
    """APCER by species with its upper bound."""
    with style():
        figure = Figure(figsize=(9, 0.6 + 0.32 * len(verdicts.species)), layout="constrained")
        axes = figure.subplots()
        for row, species in enumerate(verdicts.species):
            axes.plot([100 * species.apcer, 100 * species.upper], [row, row], color=RED, linewidth=2)
            axes.plot(100 * species.upper, row, marker="|", markersize=9, color=RED)
            axes.plot(100 * species.apcer, row, marker="o", color=RED)
        names = [f"{words(s.name)} ({s.accepted} of {s.n})" for s in verdicts.species]
        axes.set_yticks(range(len(names)), names)
        axes.invert_yaxis()
        axes.set(
            title=f"APCER, {verdicts.preset}: dot measured, bar to the 95 % upper bound", xlim=(-2, 102), xlabel="%"
        )
        return svg(figure)


def trade_off_chart(verdicts: Sequence[Verdicts]) -> str:
    """What each preset costs people, and what it lets through: the worst species, and all attacks together."""
    with style():
        figure = Figure(figsize=(6.4, 4.2), layout="constrained")
        axes = figure.subplots()
        people = [100 * v.rejected.share for v in verdicts]
        worst = [100 * v.worst.apcer if v.worst else 0.0 for v in verdicts]
        whole = [100 * sum(s.accepted for s in v.species) / max(1, sum(s.n for s in v.species)) for v in verdicts]
        for values, colour, label in ((worst, RED, "worst species"), (whole, BLUE, "all attacks")):
            axes.errorbar(
                people,
                values,
                xerr=_bars([v.rejected for v in verdicts]),
                color=colour,
                ecolor="#cccccc",
                marker="o",
                label=label,
            )
            # Presets at the same place share a label.
            placed: dict[tuple[float, float], list[str]] = {}
            for verdict, x, y in zip(verdicts, people, values, strict=True):
                placed.setdefault((x, y), []).append(verdict.preset)
            for place, presets in placed.items():
                axes.annotate(", ".join(presets), place, xytext=(6, 6), textcoords="offset points", color=colour)
        axes.set(xlabel="BPCER: people turned away, %", ylabel="APCER: attacks let through, %", ylim=(-2, None))
        axes.set_xlim(-1, max(5, *(100 * v.rejected.high + 2 for v in verdicts)))
        axes.legend(frameon=False)
        return svg(figure)


def _intervals(axes: Axes, rates: dict[str, Rate], colour: str) -> None:
    names = list(rates)
    of = [rates[g] for g in names]
    axes.errorbar([100 * r.share for r in of], range(len(of)), xerr=_bars(of), fmt="o", color=colour, capsize=3)
    axes.set_yticks(range(len(names)), [f"{words(g)} ({r.k}/{r.n})" for g, r in zip(names, of, strict=True)])
    axes.invert_yaxis()


def _bars(rates: Sequence[Rate]) -> list[list[float]]:
    """The lengths of the intervals below and above, in percent."""
    return [[100 * max(0.0, r.share - r.low) for r in rates], [100 * max(0.0, r.high - r.share) for r in rates]]


def _scattered(row: int, n: int) -> list[float]:
    """Offsets around a row, so that dots of equal value stay visible."""
    return [row + 0.22 * ((i * 7) % 11 / 5 - 1) for i in range(n)]


def _mark_labels(axes: Axes, signals: Signals) -> None:
    """The gestures' names above the uppermost plot, at different heights where they are close together."""
    for i, label in enumerate(sorted(signals.labels, key=lambda x: x.segment.peak)):
        axes.annotate(
            words(label.gesture),
            (label.segment.peak, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(0, 2 + 9 * (i % 2)),
            textcoords="offset points",
            ha="center",
            fontsize=7,
        )
