"""How well faces show the values of a conjunction, comparison by comparison."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from lacelang import ir
from lacelang.energy import Wanted
from lacelang.engine.truth import Columns, truth


@frozen
class Score:
    """The score of one comparison of a conjunction."""

    attribute: str
    wanted: str  # the comparison as written, or how many values were pooled
    faces: int
    unseen: int  # in how many of the faces the annotator saw nothing
    accuracy: float  # share that shows the value; of a number 1 − mean |Δ| / range (LACE, table 2)
    error: float | None = None  # mean |Δ| in the attribute's unit; None for a class
    unit: str | None = None

    @property
    def judged(self) -> dict[str, float | str | None]:
        """The cells of a table."""
        return {"judged": self.accuracy, "mean |Δ|": self.error, "unit": self.unit}


def scores(pairs: Iterable[tuple[ir.Predicate | None, Columns]]) -> list[Score]:
    """Score every comparison of conjunctions, pooling groups that constrain the same attributes."""
    pooled: dict[str, list[tuple[ir.Comparison, Columns]]] = {}
    for predicate, columns in pairs:
        for atom in conjuncts(predicate):
            name = atom.attribute.name
            pooled.setdefault(name, []).append((atom, columns))
    return [_score(name, entries) for name, entries in pooled.items()]


def conjuncts(predicate: ir.Predicate | None) -> Iterator[ir.Comparison]:
    """The `a=v` comparisons that a condition demands outright: its own, or its `and`'s terms."""
    terms = predicate.terms if isinstance(predicate, ir.And) else (predicate,)
    for term in terms:
        if isinstance(term, ir.Comparison) and term.is_value:
            yield term


def _score(name: str, entries: list[tuple[ir.Comparison, Columns]]) -> Score:
    texts = list(dict.fromkeys(atom.text for atom, _ in entries))
    wanted = texts[0] if len(texts) == 1 else f"{name}: {len(texts)} values"
    seen = np.concatenate([columns[name] for _, columns in entries])
    missing = np.isnan(seen)
    counted = (name, wanted, len(seen), int(missing.sum()))
    attribute = entries[0][0].attribute
    if attribute.limits is None:
        held = np.concatenate([truth(atom, columns) for atom, columns in entries])
        return Score(*counted, float(held.mean()))
    deltas = [columns[name].astype(float) - _asked(atom, columns) for atom, columns in entries]
    error = float(np.abs(np.concatenate(deltas))[~missing].mean()) if not missing.all() else np.nan
    low, high = attribute.limits
    return Score(*counted, 1 - error / (high - low), error, attribute.unit)


def _asked(atom: ir.Comparison, columns: Columns) -> NDArray[np.floating] | float:
    """The number that a comparison asks for, or those that it asks of each face (F,)."""
    drawn = isinstance(atom, ir.Drawn)
    return columns[Wanted(atom.attribute.name)] if drawn else atom.interval()[0]
