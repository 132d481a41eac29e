"""The fitted weights as the module of the domain that holds them: `shared/liveness/evidence/fitted.py`."""

from __future__ import annotations

from shared.liveness.evidence import Weighing
from shared.liveness.evidence.weighing import Curve

_HEAD = '''"""The weighing that was fitted over people: made by `ops/evaluate --fit`; docs/evidence.md explains it."""

from __future__ import annotations

from shared.liveness.evidence.finding import Code
from shared.liveness.evidence.presets import Preset
from shared.liveness.evidence.weighing import Curve, Group, Weighing

FITTED = Weighing(
'''


def module(weighing: Weighing) -> str:
    """The text of the module, without the revision that the weights were made at: git has the module's own history."""
    made = {name: value for name, value in weighing.made.items() if name != "revision"}
    lines = ["    made={"]
    lines += [f"        {_quoted(name)}: {_quoted(value)}," for name, value in made.items()]
    lines += ["    },", f"    prior={weighing.prior},", f"    scales={weighing.scales},", "    thresholds={"]
    lines += [f"        Preset.{p.name}: {least}," for p, least in weighing.thresholds.items()]
    lines += ["    },", "    decisive={"]
    lines += [f"        Code.{code.name}: {least}," for code, least in weighing.decisive.items()]
    lines += ["    },", "    curves={"]
    for code, curves in weighing.curves.items():
        lines.append(f"        Code.{code.name}: {{")
        for group, curve in curves.items():
            lines += _curve(group.name, curve)
        lines.append("        },")
    return _HEAD + "\n".join([*lines, "    },", ")"]) + "\n"


def _curve(group: str, curve: Curve) -> list[str]:
    return [
        f"            Group.{group}: Curve(",
        f"                scores={curve.scores},",
        f"                bits={curve.bits},",
        "            ),",
    ]


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
