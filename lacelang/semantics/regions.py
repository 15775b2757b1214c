"""What a condition leaves possible for one attribute: sets of classes, stretches of numbers.

The sets are never too small: what they call impossible is impossible.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TypeAlias

from attrs import frozen

from lacelang import ir

Key: TypeAlias = tuple[str, str]
"""An attribute's name, and `~` if it is the degree of it that is spoken of."""

_MOST = 64


@frozen
class Reals:
    """Stretches of numbers. One of no length is a point; the ends of others have no weight.

    Attributes:
        stretches: pairs of a lower and an upper end.
        without: points that are left out of them.
    """

    stretches: tuple[tuple[float, float], ...]
    without: frozenset[float] = frozenset()


Region: TypeAlias = frozenset[int] | Reals
Regions: TypeAlias = dict[Key, Region]
"""By attribute; one that is not named may be anything."""


def region_of(comparison: ir.Comparison, denied: bool) -> tuple[Key, Region]:
    """Return what a comparison, or its denial, leaves possible, and for what."""
    name = comparison.attribute.name
    if isinstance(comparison, ir.Discrete):
        every = frozenset(range(len(comparison.attribute.values)))
        return (name, ""), every - comparison.classes if denied else comparison.classes
    if isinstance(comparison, ir.NumberComparison):
        key, (low, high) = (name, ""), comparison.interval()
    else:
        assert isinstance(comparison, ir.Degree)
        key, low, high = (name, "~"), comparison.degree, comparison.degree
    if not denied:
        return key, Reals(((low, high),))
    if low == high:
        return key, Reals(((-math.inf, math.inf),), frozenset({low}))
    outside = ((-math.inf, low), (high, math.inf))
    return key, Reals(tuple(stretch for stretch in outside if stretch[0] < stretch[1]))


def is_empty(region: Region) -> bool:
    """Whether nothing is possible."""
    return not (region.stretches if isinstance(region, Reals) else region)


def meet(a: Region, b: Region) -> Region:
    """Return what both allow."""
    if not (isinstance(a, Reals) and isinstance(b, Reals)):
        assert isinstance(a, frozenset)
        assert isinstance(b, frozenset)
        return a & b
    # To forget a point that is left out makes the set larger, never too small.
    without = a.without | b.without if len(a.without) < _MOST else a.without
    shared = []
    for low_a, high_a in a.stretches:
        for low_b, high_b in b.stretches:
            low, high = max(low_a, low_b), min(high_a, high_b)
            point = low == high and (low_a == high_a or low_b == high_b) and low not in without
            if low < high or point:
                shared.append((low, high))
    return Reals(tuple(shared), without)


def join(a: Region, b: Region) -> Region:
    """Return what either allows, or a little more."""
    if not (isinstance(a, Reals) and isinstance(b, Reals)):
        assert isinstance(a, frozenset)
        assert isinstance(b, frozenset)
        return a | b
    stretches = (*a.stretches, *b.stretches)
    if len(stretches) > _MOST:
        stretches = ((min(low for low, _ in stretches), max(high for _, high in stretches)),)
    return Reals(stretches, a.without & b.without)


def narrow(known: Regions, by: Regions) -> Key | None:
    """Narrow `known` by more conditions; return the attribute of which nothing is left, if any."""
    for key, region in by.items():
        left = meet(known[key], region) if key in known else region
        if is_empty(left):
            return key
        known[key] = left
    return None


def widened(regions: Iterable[Regions]) -> Regions:
    """Return what at least one of them allows."""
    result: Regions | None = None
    for one in regions:
        if result is None:
            result = dict(one)
        else:
            result = {key: join(result[key], one[key]) for key in result if key in one}
    return result or {}
