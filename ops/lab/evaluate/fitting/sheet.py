"""What is written about a fit, as Markdown: `weights.md`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ops.lab.evaluate.fitting.calibration import Bin
from ops.lab.evaluate.fitting.crossed import Live
from ops.lab.evaluate.fitting.figures import Row, table
from ops.lab.evaluate.fitting.groups import Group
from ops.lab.evaluate.fitting.thresholds import TURNED_AWAY
from shared.liveness.evidence import Preset, Weighing

_TOLD = """\
All figures below are on people whom the weights never saw: each person is judged by a fit over the others. They are of one
verdict for each session, at the three thresholds; a session that was not completed is not live.
"""
_AGREE = """\
Weighted as in the fit, with the copies of attacks in which judges are silent: the two last columns are to agree.

"""


@dataclass(frozen=True, slots=True)
class Sheet:
    """All that `weights.md` shows."""

    weighing: Weighing
    rows: Sequence[Row]
    #: Of each preset the share of completed bona fide sessions that is not live, each person counting alike.
    lost: Mapping[Preset, float]
    #: Of each person who was turned away: how many sessions, of how many.
    turned_away: Mapping[str, tuple[int, int]]
    #: The verdicts on each species' attacks by a fit without the species.
    left_out: Mapping[str, Sequence[Live]]
    groups: Sequence[Group]
    bins: Sequence[Bin]

    def text(self) -> str:
        """The file's text."""
        parts = [
            "# The fitted weights\n\n" + _grid(["", ""], self.weighing.made.items()),
            _TOLD,
            "## Thresholds\n\n" + self._thresholds(),
            "![Scores of people and of attacks](plots/scores.svg)\n\n![BPCER and APCER](plots/trade_off_species.svg)\n",
            "## Sessions and attacks\n\n" + table(self.rows),
            "## Species that the fit has never seen\n\n" + self._left_out(),
            "## People who were turned away\n\n" + self._people(),
            "## By group\n\n" + self._groups(),
            "## Whether a score holds what it says\n\n" + self._calibration(),
        ]
        return "\n".join(parts)

    def _thresholds(self) -> str:
        lines = [
            [f"`{p}`", f"{self.weighing.thresholds[p]:.3f}", _percent(TURNED_AWAY[p]), _percent(self.lost[p])]
            for p in Preset
        ]
        return _grid(["preset", "least score", "people turned away, wanted", "on people never seen"], lines)

    def _left_out(self) -> str:
        if not self.left_out:
            return "There is one species only: nothing is left to fit where it is left out.\n"
        lines = []
        for species, verdicts in self.left_out.items():
            live = {p: sum(v[p] for v in verdicts) for p in Preset}
            caught = _percent(1 - live[Preset.STANDARD] / len(verdicts))
            lines.append([species.replace("_", " "), str(len(verdicts)), *(str(live[p]) for p in Preset), caught])
        head = ["species", "attacks", *(f"live, `{p}`" for p in Preset), "caught, `standard`"]
        return "Each species is judged by a fit over all the others.\n\n" + _grid(head, lines)

    def _people(self) -> str:
        if not self.turned_away:
            return "Nobody was turned away under `standard` in a session that was completed.\n"
        lines = [[person, str(lost), str(n)] for person, (lost, n) in self.turned_away.items()]
        return _grid(["person", "not live under `standard`", "of completed sessions"], lines)

    def _groups(self) -> str:
        if not self.groups:
            return "The manifest says nothing about the people that would group them (`about`).\n"
        lines = [
            [g.attribute, g.value, str(g.people), str(g.sessions), str(g.lost), _percent(g.share), g.worst]
            for g in self.groups
        ]
        head = [
            "attribute",
            "",
            "people",
            "completed sessions",
            "not live under `standard`",
            "people alike",
            "worst person",
        ]
        return _grid(head, lines)

    def _calibration(self) -> str:
        lines = [[f"{b.low:g}–{b.high:g}", str(b.n), f"{b.score:.3f}", _percent(b.share)] for b in self.bins]
        return _AGREE + _grid(["score", "sessions", "mean score", "bona fide"], lines)


def _grid(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """A table of Markdown."""
    rows = [head, ["---"] * len(head), *lines]
    return "".join(f"| {' | '.join(cell.replace('|', '/') for cell in row)} |\n" for row in rows)


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
