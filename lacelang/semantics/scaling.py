"""What weights and temperatures multiply the energies of a statement's comparisons by."""

from __future__ import annotations

import math
from collections.abc import Iterator

from lacelang import ir
from lacelang.errors import Span


def reached(predicate: ir.Predicate, denied: bool = False) -> Iterator[bool]:
    """Yield, for each comparison that a statement's temperature reaches, if it is under `not`."""
    own = predicate.temp is not None or predicate.logit_temp is not None
    if isinstance(predicate, ir.ClassComparison) and not own:
        yield denied
    for child in predicate.children:
        yield from reached(child, denied or isinstance(predicate, ir.Not | ir.Xor))


def factors(whole: ir.Predicate, options: ir.ConditionOptions) -> Iterator[tuple[Span, float]]:
    """Yield where the comparisons stand, and what multiplies the energy of each."""
    # The weight of a disjunct is its odds, and multiplies no energy.
    pending = [(whole, 1.0, False)]
    while pending:
        predicate, factor, odds = pending.pop()
        if predicate.weight == 0:
            continue  # it has no effect
        plain, logit = ir.temperatures(predicate, options)
        temp = logit if plain is None else plain
        factor *= 1.0 if odds else predicate.weight
        if temp is not None:
            # The product of the temperatures of nested brackets may be 0.
            factor = factor / temp if temp else math.inf
        if isinstance(predicate, ir.Comparison | ir.OwnTerm):
            yield predicate.span, factor
        if isinstance(predicate, ir.Not | ir.Xor) and options.negation[0] == "contrast":
            factor *= options.negation[1] ** max(1, len(predicate.children) - 1)
        odds = isinstance(predicate, ir.Or)
        pending += [(term, factor, odds) for term in reversed(predicate.children)]
