"""Does a face show what was asked? Predicates held against what annotators saw in the image."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from lacelang import ir

Columns = Mapping[str, NDArray[np.float32]]
Bools = NDArray[np.bool_]

# A number counts as shown when the annotator reads one within this share of the range.
NEAR = 0.15


def truth(predicate: ir.Predicate, columns: Columns) -> Bools:
    """Which faces satisfy the whole predicate, bool (N,).

    Args:
        predicate: a checked condition.
        columns: by attribute, what the annotator saw: class index or value; NaN if nothing. Such
            a face satisfies neither a comparison of the attribute nor its denial.
    """
    return _verdicts(predicate, columns)[0]


def _verdicts(predicate: ir.Predicate, columns: Columns) -> tuple[Bools, Bools]:
    """Which faces satisfy the predicate, and which its denial: Kleene's three values."""
    match predicate:
        case ir.And(terms=terms):
            yes, no = zip(*(_verdicts(term, columns) for term in terms), strict=True)
            return np.all(yes, axis=0), np.any(no, axis=0)
        case ir.Or(terms=terms):
            yes, no = zip(*(_verdicts(term, columns) for term in terms), strict=True)
            return np.any(yes, axis=0), np.all(no, axis=0)
        case ir.Not(term=term):
            held, denied = _verdicts(term, columns)
            return denied, held
    if not isinstance(predicate, ir.Comparison):
        raise TypeError(f"{type(predicate).__name__} is no predicate")
    column = columns[predicate.attribute.name]
    shown, seen = _shown(predicate, column), ~np.isnan(column)
    return shown & seen, ~shown & seen


def _shown(atom: ir.Comparison, column: NDArray[np.float32]) -> Bools:
    match atom:
        case ir.Discrete(classes=classes):
            return np.isin(column, sorted(classes))
        case ir.Degree(cls=cls, degree=degree):
            # A degree has no truth value; from a half up the class should be seen.
            leaning: Bools = (column == cls) == (degree >= 0.5)
            return leaning
        case ir.Equals(attribute=b, value=value):
            near: Bools = np.abs(column - value) <= NEAR * (b.high - b.low)
            return near
        case ir.AtLeast(bound=bound):
            return column >= bound
        case ir.AtMost(bound=bound):
            return column <= bound
        case ir.Between(low=low, high=high):
            return (column >= low) & (column <= high)


@frozen
class Score:
    """How one comparison of a conjunction did over N faces.

    Attributes:
        attribute: its name.
        wanted: the comparison as written; several, if rows were pooled.
        faces: how many were judged.
        unseen: in how many the annotator saw nothing.
        accuracy: share that shows the value; for a number 1 − mean |Δ| / range (LACE, table 2).
        error: mean |Δ| in the attribute's unit; None for a class.
        unit: `deg`, `years` or None.
    """

    attribute: str
    wanted: str
    faces: int
    unseen: int
    accuracy: float
    error: float | None
    unit: str | None = None


def scores(pairs: list[tuple[ir.Predicate, Columns]]) -> list[Score]:
    """Score every comparison of conjunctions, pooling groups that constrain the same attributes.

    Args:
        pairs: conditions with the columns of the faces that were made for them.
    """
    pooled: dict[str, list[tuple[ir.Predicate, NDArray[np.float32]]]] = {}
    for predicate, columns in pairs:
        for atom in conjuncts(predicate):
            name = atom.attribute.name
            pooled.setdefault(name, []).append((atom, columns[name]))
    return [_score(name, entries) for name, entries in pooled.items()]


Comparison = ir.Discrete | ir.Equals


def conjuncts(predicate: ir.Predicate) -> Iterator[Comparison]:
    """The `a=v` comparisons that a condition demands outright: its own, or its `and`'s terms."""
    terms = predicate.terms if isinstance(predicate, ir.And) else (predicate,)
    for term in terms:
        if isinstance(term, ir.Discrete | ir.Equals):
            yield term


def _score(name: str, entries: list[tuple[ir.Predicate, NDArray[np.float32]]]) -> Score:
    texts = list(dict.fromkeys(atom.text for atom, _ in entries))
    seen = np.concatenate([column for _, column in entries])
    missing = np.isnan(seen)
    wanted = texts[0] if len(texts) == 1 else f"{name}: {len(texts)} values"
    first = entries[0][0]
    if isinstance(first, ir.Discrete):
        held = np.concatenate([truth(atom, {name: column}) for atom, column in entries])
        return Score(name, wanted, len(seen), int(missing.sum()), float(held.mean()), None)
    target = np.concatenate(
        [np.full(len(c), atom.value) for atom, c in entries if isinstance(atom, ir.Equals)]
    )
    error = float(np.abs(seen - target)[~missing].mean()) if not missing.all() else float("nan")
    assert isinstance(first, ir.Equals)
    span = first.attribute.high - first.attribute.low
    unit = first.attribute.unit
    return Score(name, wanted, len(seen), int(missing.sum()), 1 - error / span, error, unit)
