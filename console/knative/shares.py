"""Does what was observed fit what was wanted? Pearson's chi-square test, in plain Python."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

SIGNIFICANCE = 0.001  # below this chance the observed shares do not fit; 1 of 1,000 fair runs is called unfair


@dataclass(frozen=True, slots=True)
class Fit:
    """How well counts fit wanted shares: the statistic, its degrees of freedom and the chance of so much or more."""

    chi_square: float
    degrees: int
    p_value: float

    @property
    def is_plausible(self) -> bool:
        return self.p_value >= SIGNIFICANCE


def fit(observed: Mapping[str, int], wanted_percent: Mapping[str, int]) -> Fit | None:
    """Return the fit of the counts, or None when nothing was observed.

    A count where nothing was wanted can never fit: its p-value is 0.
    """
    total = sum(observed.values())
    if not total:
        return None
    wanted = {name: percent for name, percent in wanted_percent.items() if percent > 0}
    degrees = max(len(wanted) - 1, 0)
    if any(count and name not in wanted for name, count in observed.items()):
        return Fit(math.inf, degrees, 0.0)
    statistic = 0.0
    for name, percent in wanted.items():
        expected = total * percent / 100
        statistic += (observed.get(name, 0) - expected) ** 2 / expected
    return Fit(statistic, degrees, _upper_tail(statistic, degrees))


def _upper_tail(statistic: float, degrees: int) -> float:
    """The chance that chi-square with these degrees is at least `statistic` (Numerical Recipes 6.2, gammq)."""
    if degrees == 0 or statistic <= 0:
        return 1.0
    a, x = degrees / 2, statistic / 2
    front = math.exp(-x + a * math.log(x) - math.lgamma(a))
    if x < a + 1:
        return max(0.0, 1.0 - front * _series(a, x))
    return min(1.0, front * _fraction(a, x))


def _series(a: float, x: float) -> float:
    term = total = 1.0 / a
    step = a
    while abs(term) > abs(total) * 1e-15:
        step += 1
        term *= x / step
        total += term
    return total


def _fraction(a: float, x: float) -> float:
    tiny = 1e-300
    b = x + 1 - a
    c, d = 1 / tiny, 1 / b
    value = d
    for i in range(1, 500):
        an = -i * (i - a)
        b += 2
        d = 1 / (an * d + b or tiny)
        c = b + an / c or tiny
        value *= d * c
        if abs(d * c - 1) < 1e-15:
            break
    return value
