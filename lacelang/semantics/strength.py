"""How strong weights and temperatures may make a condition, so that float32 can hold its energy."""

from __future__ import annotations

import math
from collections.abc import Iterator

from attrs import evolve

from lacelang import ir
from lacelang.errors import Span

WEAKEST, STRONGEST = 1e-9, 1e9
"""Bounds of every weight, temperature and strength, and of what nested ones multiply to.

The energies of logits up to 1e4, and the squares of their gradients, stay finite.
"""

LIMITS = f"{WEAKEST:g}", f"{STRONGEST:g}"
"""The same, as messages say them."""


def in_bounds(value: float) -> bool:
    """Whether float32 energies can be multiplied and divided by `value`."""
    return WEAKEST <= value <= STRONGEST


def beyond_bounds(
    predicate: ir.Predicate, options: ir.ConditionOptions
) -> tuple[Span, float] | None:
    """Return where an energy is multiplied by too much or too little, and by what; None if nowhere.

    `options` are those of the condition's statement.
    """
    negation = options.negation
    contrast = negation[1] if negation[0] == "contrast" else 1.0
    for atom, factor in _factors(predicate, 1.0, contrast):
        own = atom.temp
        if isinstance(atom, ir.ClassComparison):
            plain, logit = ir.temperatures(atom, options)
            own = logit if plain is None else plain
        factor = _divided(factor, own)
        if not in_bounds(factor):
            return atom.span, factor
    return None


def _factors(
    predicate: ir.Predicate, factor: float, contrast: float
) -> Iterator[tuple[ir.Predicate, float]]:
    """Yield the comparisons, and what multiplies the energy of each."""
    if predicate.weight == 0:
        return  # it is taken away
    factor *= predicate.weight
    if isinstance(predicate, ir.Comparison):
        yield predicate, factor
        return
    if isinstance(predicate, ir.Not):
        factor *= contrast
    for term in predicate.children:
        # The weights of an `or` are odds: they multiply no energy.
        odds = isinstance(predicate, ir.Or) and term.weight > 0
        inner = evolve(term, weight=1.0) if odds else term
        yield from _factors(inner, _divided(factor, predicate.temp), contrast)


def _divided(factor: float, temp: float | None) -> float:
    if temp is None:
        return factor
    # The temperatures of nested brackets multiply, and may have come to 0.
    return factor / temp if temp else math.inf
