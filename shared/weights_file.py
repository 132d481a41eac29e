"""Reads and writes files with the weights of the evidence: `ops/evaluate --fit` writes one, EVIDENCE_WEIGHTS names it."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import msgspec

from shared.liveness.evidence import Code, Preset, Weighing
from shared.liveness.evidence.weighing import Curve


class WeightsError(ValueError):
    """Raised for a file without usable weights; the message is a clause that says why."""


def read_weights(path: Path) -> Weighing:
    """Read a weighing from a JSON file. Raises WeightsError if the file is unreadable or its numbers are not usable."""
    try:
        weighing = msgspec.json.decode(path.read_bytes(), type=Weighing)
    except OSError as error:
        raise WeightsError(f"cannot be read: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise WeightsError(f"holds no weights: {error}") from error
    for code, curves in weighing.curves.items():
        for group, curve in curves.items():
            _check(code, group, curve)
    if set(weighing.thresholds) != set(Preset):
        raise WeightsError(f"must have thresholds for {', '.join(Preset)}")
    if not weighing.scales:
        raise WeightsError("must have at least one scale")
    lenient, standard, strict = (weighing.thresholds[preset] for preset in Preset)
    if not 0 < lenient <= standard <= strict < 1:
        raise WeightsError("must have thresholds between 0 and 1, the stricter the higher")
    if weighing.weigh([], []).score >= lenient:
        raise WeightsError("must not find a session live that has shown nothing: its prior is too high")
    return weighing


def write_weights(path: Path, weighing: Weighing) -> None:
    """Write a weighing to a JSON file."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(weighing), indent=1) + b"\n")


def _check(code: Code, group: str, curve: Curve) -> None:
    if len(curve.scores) != len(curve.bits) or not curve.scores:
        raise WeightsError(f"{code}, {group}: as many bits as scores are needed, and at least one")
    if any(right <= left for left, right in pairwise(curve.scores)):
        raise WeightsError(f"{code}, {group}: the scores must rise")
    if any(right > left for left, right in pairwise(curve.bits)):
        raise WeightsError(
            f"{code}, {group}: the bits must fall, or stay: a higher score never speaks more for a person"
        )
