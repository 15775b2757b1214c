"""How well faces show the values that a conjunction asks for, comparison by comparison."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from lacelang import ir
from lacelang.engine.truth import Columns, truth


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
