"""95 % intervals of a share, from a count of successes."""

from __future__ import annotations

import math

#: The normal distribution's 97.5 % quantile.
_Z = 1.959964


def wilson(successes: int, n: int) -> tuple[float, float]:
    """Wilson's two-sided 95 % interval of a share, which also holds for few cases and near 0 and 1."""
    if n == 0:
        return 0.0, 1.0
    share = successes / n
    middle = share + _Z**2 / (2 * n)
    reach = _Z * math.sqrt(share * (1 - share) / n + _Z**2 / (4 * n * n))
    whole = 1 + _Z**2 / n
    return max(0.0, (middle - reach) / whole), min(1.0, (middle + reach) / whole)


def upper_bound(errors: int, n: int) -> float:
    """The one-sided 95 % upper bound of an error rate: the rule of three at 0 errors, else Clopper and Pearson's."""
    if n == 0 or errors >= n:
        return 1.0
    if errors == 0:
        return min(1.0, 3 / n)
    low, high = errors / n, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if _at_most(errors, n, middle) > 0.05 else (low, middle)
    return high


def _at_most(k: int, n: int, p: float) -> float:
    """The chance of at most k errors of n at an error rate of p."""
    return sum(math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k + 1))
