"""The fit itself: a logistic regression whose curves may only fall, penalised, and bounded for each judge."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from scipy.optimize import minimize  # type: ignore[import-untyped] # scipy brings no types

from ops.lab.evaluate.fitting.basis import NEVER_IN_FAVOUR, Array, Block, blocks_of, design
from ops.lab.evaluate.fitting.samples import Sample, balanced, silenced
from shared.liveness.evidence import Code, Preset, Weighing
from shared.liveness.evidence.weighing import Curve, Group

#: How much large numbers cost, in shares of all sessions' weight: people are few, and the curves must hold for others.
PENALTY: Final = 0.001
#: How much each number costs for being there at all: a judge that parts nothing is left out.
SPARING: Final = 0.00025
#: How a session's sum counts with the number of its challenges, see `basis.design`.
POWER: Final = 0.25
#: The most bits that a judge weighs in favour of, and against, a living person in one challenge; the weak ones less, so that
#: none of them decides alone.
IN_FAVOUR: Final = 3.0
AGAINST: Final = -8.0
WEAK: Final[Mapping[Code, float]] = {
    Code.SCREEN: -3.0,
    Code.ADRIFT: -1.5,
    Code.STARING: -2.0,
    Code.ABRUPT: -3.0,
    Code.CUT: -2.0,
}
#: The species that show a living face: what tells them is only who it is, or what was asked. They are no part of the fit.
OF_LIVING: Final = frozenset({"identity_swap", "replay"})
#: The curves of the judges that are there for these species, from what was measured before (docs/evidence.md): one person's
#: distances end where the curve begins; gestures that nobody asked for are rare in people; whom nobody could compare may be
#: somebody else.
GIVEN: Final[Mapping[Code, Curve]] = {
    Code.SWAPPED: Curve((0.44, 0.52, 0.6), (0.0, -3.0, -8.0)),
    Code.UNASKED: Curve((0.0, 1.0, 2.0), (0.0, -1.5, -4.0)),
    Code.UNIDENTIFIED: Curve((0.0, 1.0), (0.0, -2.0)),
    # People reach 0.41 at most (docs/security.md); recordings of screens are too few to be fitted.
    Code.CARRIED: Curve((0.25, 0.5, 0.8), (0.0, -6.0, -10.0)),
    # A hurdle only, which no recording meets.
    Code.CAMERA: Curve((0.0, 0.5, 1.0), (0.0, -0.3, -1.0)),
}
#: The decisive scores: not fitted, but certain by themselves.
DECISIVE: Final[Mapping[Code, float]] = {
    Code.UNSEEN: 0.0001,
    Code.REPEATED: 0.6,
    Code.SWAPPED: 0.6,
    Code.FROZEN: 0.8,
    Code.MOIRE: 250.0,
}
#: The decisive scores of the fitted judges: a session that one of these decides is no part of the fit.
FITTED_DECISIVE: Final = {code: least for code, least in DECISIVE.items() if code not in GIVEN}
#: A bit in nats.
_NAT: Final = float(np.log(2))


def fit(samples: Sequence[Sample], *, penalty: float = PENALTY, power: float = POWER) -> Weighing:
    """The weighing that parts these samples best, without thresholds: all are one half."""
    life, prior = _curves(silenced(balanced(of_life(samples))), penalty, power)
    given = {code: dict.fromkeys(Group, curve) for code, curve in GIVEN.items()}
    scales = tuple(round(n**-power, 4) for n in range(1, 11))
    return Weighing(life | given, round(prior / _NAT, 3), scales, dict.fromkeys(Preset, 0.5), dict(DECISIVE))


def of_life(samples: Sequence[Sample]) -> list[Sample]:
    """The samples that tell living faces from things, without what is only about who it is or what was asked."""
    return [_only(s, lambda code: code not in GIVEN) for s in samples if s.species not in OF_LIVING]


def _only(sample: Sample, wanted: Callable[[Code], bool]) -> Sample:
    return replace(sample, findings=tuple(f for f in sample.findings if wanted(f.code)))


def _curves(weighed: Sequence[Sample], penalty: float, power: float) -> tuple[dict[Code, dict[Group, Curve]], float]:
    """The curves of all judges that part the samples, and the prior in nats."""
    blocks = blocks_of(weighed)
    numbers, prior = _solve(design(weighed, blocks, power), weighed, blocks, penalty)
    curves: dict[Code, dict[Group, Curve]] = {}
    for block in blocks:
        for group in block.groups:
            curve = block.curve(numbers, group, WEAK.get(block.code, AGAINST))
            if any(curve.bits):
                curves.setdefault(block.code, {})[group] = curve
    return curves, prior


def _solve(features: Array, samples: Sequence[Sample], blocks: Sequence[Block], penalty: float) -> tuple[Array, float]:
    """The numbers of the curves, and the prior, both in nats.

    Curves that went beyond what their judge may weigh are brought back to it, and the others are fitted again beside them.
    """
    signs = np.array([1.0 if s.bona_fide else -1.0 for s in samples])
    weights = np.array([s.weight for s in samples])
    weights /= weights.sum()

    def loss(x: Array) -> tuple[float, Array]:
        margin = signs * (features @ x[1:] + x[0])
        pull = -signs * weights / (1 + np.exp(np.clip(margin, -30, 30)))
        # Numbers are not negative: their sum is their absolute value, and its slope is level.
        cost = penalty * (x[1:] @ x[1:]) / 2 + SPARING * x[1:].sum()
        value = float(weights @ np.logaddexp(0, -margin) + cost)
        return value, np.concatenate(([pull.sum()], features.T @ pull + penalty * x[1:] + SPARING))

    def best(start: Array, bounds: Sequence[tuple[float | None, float | None]]) -> Array:
        found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 2000})
        return np.asarray(found.x)

    free = [(None, None), *_bounds(blocks)]
    x = best(np.zeros(features.shape[1] + 1), free)
    beyond = True
    while beyond:
        beyond = False
        for block in blocks:
            own = slice(1 + block.at, 1 + block.at + block.size)
            within = _within(block, x[own])
            if not np.allclose(within, x[own], atol=1e-3):
                beyond = True
                x[own] = within
                free[own] = [(value, value) for value in within.tolist()]
        x = best(x, free) if beyond else x
    return x[1:], float(x[0])


def _within(block: Block, numbers: Array) -> Array:
    """A block's numbers, made smaller where one of its curves goes beyond what the judge may weigh."""
    knots = len(block.knots)
    rows = numbers.reshape(-1, knots).copy()
    lowest = WEAK.get(block.code, AGAINST) * _NAT
    rows[:, 0] *= min(1.0, IN_FAVOUR * _NAT / max(rows[0, 0] + rows[1:, 0].max(), 1e-9))
    starts = rows[0, 0] + rows[1:, 0]
    depths = rows[0, 1:].sum() + rows[1:, 1:].sum(axis=1)
    rows[:, 1:] *= min(1.0, float(((starts - lowest) / np.maximum(depths, 1e-9)).min()))
    return rows.ravel()


def _bounds(blocks: Sequence[Block]) -> list[tuple[float | None, float | None]]:
    """What each number may be: not negative, and no start where a judge never speaks in favour."""
    bounds: list[tuple[float | None, float | None]] = []
    for block in blocks:
        start = 0.0 if block.code in NEVER_IN_FAVOUR else None
        one: list[tuple[float | None, float | None]] = [(0.0, start), *[(0.0, None)] * (len(block.knots) - 1)]
        bounds += one * (1 + len(block.groups))
    return bounds
