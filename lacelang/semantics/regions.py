"""What a condition leaves possible for one attribute: sets of classes, stretches of numbers.

The sets are never too small: what they call impossible is impossible.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, TypeAlias

from attrs import frozen

from lacelang import ir

Key: TypeAlias = tuple[str, str]
"""An attribute's name, and `~` if a comparison is about its degree."""

Regions: TypeAlias = dict[Key, Any]
"""By attribute a `frozenset` of classes, or `Reals`; one that is not named may be anything."""

_MOST = 64


@frozen
class Reals:
    """Stretches of numbers. One of no length is a point; the ends of others have no weight.

    Like a set, it is false if it is empty, and is joined by `|` and narrowed by `&`.

    Attributes:
        stretches: pairs of a lower and an upper end.
        without: points that are left out of them.
    """

    stretches: tuple[tuple[float, float], ...]
    without: frozenset[float] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.stretches)

    def __and__(self, other: Reals) -> Reals:
        # To forget a point that is left out makes the set larger, never too small.
        without = self.without | other.without if len(self.without) < _MOST else self.without
        shared = []
        for one in self.stretches:
            for two in other.stretches:
                low, high = max(one[0], two[0]), min(one[1], two[1])
                is_point = one[0] == one[1] or two[0] == two[1]
                if low < high or (low == high and is_point and low not in without):
                    shared.append((low, high))
        return Reals(tuple(shared), without)

    def __or__(self, other: Reals) -> Reals:
        stretches = (*self.stretches, *other.stretches)
        if len(stretches) > _MOST:  # a little more than either allows
            stretches = ((min(low for low, _ in stretches), max(high for _, high in stretches)),)
        return Reals(stretches, self.without & other.without)


def region_of(comparison: ir.Comparison, denied: bool) -> Regions:
    """Return what a comparison, or its denial, leaves possible."""
    name = comparison.attribute.name
    if isinstance(comparison, ir.ClassComparison) and comparison.is_value:
        every = frozenset(range(len(comparison.attribute.values)))
        return {(name, ""): every - comparison.classes if denied else comparison.classes}
    key = name, "~" if isinstance(comparison, ir.ClassComparison) else ""
    low, high = comparison.interval()
    if not denied:
        return {key: Reals(((low, high),))}
    if low == high:
        return {key: Reals(((-math.inf, math.inf),), frozenset({low}))}
    outside = ((-math.inf, low), (high, math.inf))
    return {key: Reals(tuple(stretch for stretch in outside if stretch[0] < stretch[1]))}


def met(known: Regions, by: Regions) -> Regions | None:
    """Return `known` narrowed by more conditions; None if nothing is left of an attribute."""
    left = {key: known[key] & region if key in known else region for key, region in by.items()}
    return {**known, **left} if all(left.values()) else None


def joined(ways: Iterable[Regions]) -> Regions:
    """Return what at least one of the ways allows."""
    first, *others = ways
    for other in others:
        first = {key: first[key] | other[key] for key in first if key in other}
    return first
