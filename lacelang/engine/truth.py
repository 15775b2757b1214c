"""Whether a face satisfies a condition, by the annotations of its picture."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from lacelang import ir

Columns = Mapping[str, NDArray[np.float32]]
Bools = NDArray[np.bool_]

# A number counts as shown when the annotator reads one within this share of the range.
NEAR = 0.15


def truth(predicate: ir.Predicate, columns: Columns) -> Bools:
    """Which faces satisfy the whole predicate, bool (N,).

    Columns are annotations by attribute: class index or value; NaN if nothing was seen. Such a face
    satisfies neither a comparison of the attribute nor its negation.
    """
    return _verdicts(predicate, columns)[0]


def _verdicts(predicate: ir.Predicate, columns: Columns) -> tuple[Bools, Bools]:
    """Which faces satisfy the predicate, and which its negation: Kleene's three values."""
    match predicate:
        case ir.And(terms=terms):
            yes, no = zip(*(_verdicts(term, columns) for term in terms), strict=True)
            return np.all(yes, axis=0), np.any(no, axis=0)
        case ir.Or(terms=terms):
            yes, no = zip(*(_verdicts(term, columns) for term in terms), strict=True)
            return np.any(yes, axis=0), np.all(no, axis=0)
        case ir.Xor(terms=terms):
            (held, denied), *others = (_verdicts(term, columns) for term in terms)
            for is_so, is_not in others:
                both = (held & is_not) | (denied & is_so), (held & is_so) | (denied & is_not)
                held, denied = both
            return held, denied
        case ir.Not(term=term):
            held, denied = _verdicts(term, columns)
            return denied, held
    if not isinstance(predicate, ir.Comparison):
        raise TypeError(f"{type(predicate).__name__} is no predicate")
    column = columns[predicate.attribute.name]
    shown, seen = _shown(predicate, column), ~np.isnan(column)
    return shown & seen, ~shown & seen


def _shown(atom: ir.Comparison, column: NDArray[np.float32]) -> Bools:
    if isinstance(atom, ir.ClassComparison):
        return np.isin(column, sorted(atom.shown_as))
    least, most = atom.attribute.limits or (0.0, 0.0)
    low, high = atom.interval(NEAR * (most - least))
    return (column >= low) & (column <= high)
