"""Does an ordering of published figures hold in figures measured here?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

from attrs import frozen

from lacelang.evaluate.report import Row

#: Measures of which more is better.
_HIGHER = {"IS", "ACC"}

Figures = Mapping[str, Mapping[str, float]]
"""By method and measure."""
Repeated = Mapping[str, Mapping[str, Sequence[float]]]
"""By method and measure, one of each seed."""


@frozen
class Ordering:
    """One method is better than another in a measure: in which share of pairs of seeds."""

    measure: str
    better: str
    worse: str
    holds: int
    pairs: int

    @property
    def verdict(self) -> str:
        """`holds` or `is reversed` if it does so for all pairs of seeds, else `is within noise`."""
        if self.holds == self.pairs:
            return "holds"
        return "is reversed" if self.holds == 0 else "is within the noise of the seeds"

    def row(self, published: Figures, found: Repeated) -> Row:
        """The cells of a table, with the means of the measured figures."""

        def both(name: str) -> str:
            values = found[name][self.measure]
            return f"{sum(values) / len(values):.3g} ({published[name][self.measure]:.4g})"

        return {
            "measure": self.measure,
            "published as better": self.better,
            "than": self.worse,
            "its figure (published)": both(self.better),
            "the other's": both(self.worse),
            "pairs of seeds": f"{self.holds} of {self.pairs}",
            "ordering": self.verdict,
        }


def orderings(published: Figures, found: Repeated) -> list[Ordering]:
    """Compare every two methods in every measure that both have, published and found.

    Pairs of seeds are all pairs of a figure of the one and a figure of the other.
    """
    result = []
    for one, other in combinations([name for name in published if name in found], 2):
        for measure in (m for m in published[one] if m in published[other]):
            sign = 1 if measure in _HIGHER else -1
            ahead = sign * (published[one][measure] - published[other][measure]) > 0
            better, worse = (one, other) if ahead else (other, one)
            pairs = [
                sign * (a - b) > 0 for a in found[better][measure] for b in found[worse][measure]
            ]
            result.append(Ordering(measure, better, worse, sum(pairs), len(pairs)))
    return sorted(result, key=lambda each: each.measure)
