"""What a decision diagram asks for: attributes, whose values are divided into cells, and events."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import TypeAlias

from attrs import define, field

from lacelang.ir.comparisons import AtLeast, AtMost, Between, Comparison, Discrete, Predicate
from lacelang.ir.conditions import Not

Key: TypeAlias = str | Predicate
"""The name of an attribute, or an event."""


class Variable(ABC):
    """What a node asks for. It has so many `cells`."""

    cells: int

    @abstractmethod
    def of(self, leaf: Predicate) -> frozenset[int]:
        """Return the cells in which a comparison is true."""

    @abstractmethod
    def regions(self, cells: list[int]) -> list[Predicate]:
        """Return conditions that together hold in some of the cells."""


@define(eq=False)
class Event(Variable):
    """It holds in cell 0 and fails in cell 1."""

    event: Predicate
    cells: int = 2

    def of(self, leaf: Predicate) -> frozenset[int]:
        """See `Variable`."""
        return frozenset({0})

    def regions(self, cells: list[int]) -> list[Predicate]:
        """See `Variable`."""
        return [self.event if cell == 0 else Not(self.event) for cell in cells]


@define(eq=False)
class Classes(Variable):
    """Classes that no comparison tells apart are one cell."""

    leaves: list[Discrete]
    parts: list[frozenset[int]] = field(init=False)

    def __attrs_post_init__(self) -> None:
        sets = list(dict.fromkeys(leaf.classes for leaf in self.leaves))
        parts: dict[tuple[bool, ...], set[int]] = {}
        for index in range(len(self.leaves[0].attribute.values)):
            parts.setdefault(tuple(index in each for each in sets), set()).add(index)
        self.parts = [frozenset(part) for part in parts.values()]
        self.cells = len(self.parts)

    def of(self, leaf: Predicate) -> frozenset[int]:
        """See `Variable`."""
        assert isinstance(leaf, Discrete)
        return frozenset(i for i, part in enumerate(self.parts) if part <= leaf.classes)

    def regions(self, cells: list[int]) -> list[Predicate]:
        """See `Variable`."""
        classes: frozenset[int] = frozenset().union(*(self.parts[cell] for cell in cells))
        # A temperature of its own, so that the statement's does not reach it.
        return [Discrete(self.leaves[0].attribute, classes, temp=1.0)]


@define(eq=False)
class Number(Variable):
    """Cell i lies between the bounds i - 1 and i, in ascending order."""

    leaves: list[AtLeast | AtMost | Between]
    bounds: list[float] = field(init=False)

    def __attrs_post_init__(self) -> None:
        ends = {end for leaf in self.leaves for end in leaf.interval()}
        self.bounds = sorted(ends - {-math.inf, math.inf})
        self.cells = len(self.bounds) + 1

    def of(self, leaf: Predicate) -> frozenset[int]:
        """See `Variable`."""
        assert isinstance(leaf, Comparison)
        low, high = leaf.interval()
        first = 0 if low == -math.inf else self.bounds.index(low) + 1
        last = self.cells if high == math.inf else self.bounds.index(high) + 1
        return frozenset(range(first, last))

    def regions(self, cells: list[int]) -> list[Predicate]:
        """See `Variable`; neighbouring cells are one interval."""
        runs: list[list[int]] = []
        for cell in cells:
            if runs and runs[-1][1] == cell:
                runs[-1][1] = cell + 1
            else:
                runs.append([cell, cell + 1])
        return [self._between(first, last) for first, last in runs]

    def _between(self, first: int, last: int) -> Predicate:
        attribute = self.leaves[0].attribute
        if first == 0:
            return AtMost(attribute, self.bounds[last - 1])
        if last == self.cells:
            return AtLeast(attribute, self.bounds[first - 1])
        return Between(attribute, self.bounds[first - 1], self.bounds[last - 1])


def variable_of(key: Key, leaves: list[Predicate]) -> Variable:
    """Return what the comparisons of one attribute, or the same event several times, ask for."""
    if not isinstance(key, str):
        return Event(key)
    # Equal comparisons are one: what is left is short even where a condition is long.
    different = dict.fromkeys(leaves)
    classes = [leaf for leaf in different if isinstance(leaf, Discrete)]
    numbers = [leaf for leaf in different if isinstance(leaf, AtLeast | AtMost | Between)]
    return Classes(classes) if classes else Number(numbers)
