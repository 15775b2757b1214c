"""Whether a face satisfies a condition, by the annotations of its picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lacelang import ir
from lacelang.energy import Wanted, own_key

# By attribute and, of values that are drawn for each sample, by `Wanted`: Any, because to a type
# checker a dict by names is not a Mapping by either.
Columns = Mapping[Any, NDArray[np.floating]]
Bools = NDArray[np.bool_]

# A number counts as shown when the annotator reads one within this share of the range.
NEAR = 0.15


def truth(predicate: ir.Predicate, columns: Columns) -> Bools:
    """Which faces satisfy the whole predicate, bool (N,).

    Columns are annotations by attribute: class index or value; NaN if nothing was seen. Such a face
    satisfies neither a comparison of the attribute nor its negation. What `each` drew for the faces
    is a column by the key `Wanted` of its attribute.
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
        case ir.OwnTerm(name=name):
            met = columns[own_key(name)] > 0
            return met, ~met
    if not isinstance(predicate, ir.Comparison):
        raise TypeError(f"{type(predicate).__name__} is no predicate")
    column = columns[predicate.attribute.name]
    shown, seen = _shown(predicate, column, columns), ~np.isnan(column)
    return shown & seen, ~shown & seen


def _shown(atom: ir.Comparison, column: NDArray[np.floating], columns: Columns) -> Bools:
    if isinstance(atom, ir.DrawnClass):
        shown: Bools = column == columns[Wanted(atom.attribute.name)]
        return shown
    if isinstance(atom, ir.ClassComparison):
        return np.isin(column, sorted(atom.shown_as))
    least, most = atom.attribute.limits or (0.0, 0.0)
    if isinstance(atom, ir.Drawn):
        near: Bools = np.abs(column - columns[Wanted(atom.attribute.name)]) <= NEAR * (most - least)
        return near
    low, high = atom.interval(NEAR * (most - least))
    return (column >= low) & (column <= high)
