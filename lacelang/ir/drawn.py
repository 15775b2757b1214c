"""Comparisons with a value that is drawn anew for each sample, in stated proportions.

Which value a sample gets is a function of the statement, the seed and the sample's index; see
`lacelang.engine.drawn`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from attrs import frozen

from lacelang.ir.comparisons import ClassComparison, NumberComparison, Predicate
from lacelang.ir.conditions import comparisons
from lacelang.text.numerals import number_text


@frozen(eq=False, repr=False)
class DrawnClass(ClassComparison):
    """The attribute has a class that is drawn for the sample.

    `choices` are pairs of a class and its weight, whole numbers without a common divisor.
    """

    kind = "drawn_class"
    is_value = True

    choices: tuple[tuple[int, int], ...]

    @property
    def classes(self) -> frozenset[int]:
        """All classes that may be drawn."""
        return frozenset(cls for cls, _ in self.choices)

    @property
    def logits(self) -> str:
        """See `Comparison`."""
        return "f"

    def interval(self, reach: float = 0.0) -> tuple[float, float]:
        """See `Comparison`; a probability of a half or more."""
        return 0.5, 1.0

    @property
    def formula(self) -> str:
        """See `Comparison`."""
        return "−log p"

    def _spelled(self) -> str:
        choices = ((self.attribute.values[cls], weight) for cls, weight in self.choices)
        return _set_text(self.attribute.name, choices)


@frozen(eq=False, repr=False)
class DrawnValue(NumberComparison):
    """The attribute is one of some numbers, which is drawn for the sample; see `DrawnClass`."""

    kind = "drawn_value"
    is_value = True

    choices: tuple[tuple[float, int], ...]

    def interval(self, reach: float = 0.0) -> tuple[float, float]:
        """See `Comparison`: from the least to the greatest number that may be drawn."""
        values = [value for value, _ in self.choices]
        return min(values) - reach, max(values) + reach

    @property
    def formula(self) -> str:
        """See `Comparison`; v is the number drawn."""
        return "(v − f)² / 2σ²"

    def _spelled(self) -> str:
        choices = ((number_text(value), weight) for value, weight in self.choices)
        return _set_text(self.attribute.name, choices)


@frozen(eq=False, repr=False)
class DrawnRange(NumberComparison):
    """The attribute is a number between `low` and `high` that is drawn for the sample."""

    kind = "drawn_range"
    is_value = True
    spelling = "{a} = each {low}..{high}"
    energy = "(v − f)² / 2σ²"
    numbers = ("low", "high")
    ends = "low", "high"

    low: float
    high: float


Drawn: TypeAlias = DrawnClass | DrawnValue | DrawnRange


def drawn(predicate: Predicate | None) -> tuple[Drawn, ...]:
    """List the comparisons of a condition whose values are drawn, from left to right."""
    found = () if predicate is None else comparisons(predicate)
    return tuple(each for each in found if isinstance(each, Drawn))


def _set_text(name: str, choices: Iterator[tuple[str, int]]) -> str:
    pairs = list(choices)
    equal = len({weight for _, weight in pairs}) == 1
    texts = (value if equal else f"{value}: {weight}" for value, weight in pairs)
    return f"{name} = each {{{', '.join(texts)}}}"
