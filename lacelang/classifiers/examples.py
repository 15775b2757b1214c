"""Labelled latents as arrays, and the rows that training must not see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from lacelang.classifiers.schema import Attribute
from lacelang.errors import UsageError

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]


@frozen(eq=False)
class Examples:
    """N latents and what an annotator saw in their images.

    Attributes:
        w: float32 (N, d), after truncation.
        columns: by attribute, float32 (N,): the index of the class, or the value in its own unit;
            NaN where the annotator could not tell.
        conditioned: bool (N,), true for rows drawn where the prior is thin, false for prior draws.
    """

    w: Floats
    columns: Mapping[str, Floats]
    conditioned: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.w)

    def take(self, rows: Rows) -> Examples:
        """Return the given rows."""
        columns = {name: column[rows] for name, column in self.columns.items()}
        return Examples(self.w[rows], columns, self.conditioned[rows])

    def check(self, attributes: Sequence[Attribute]) -> None:
        """Raise a UsageError for a wrong shape, a missing column or a class out of range."""
        count = len(self.w)
        if self.w.ndim != 2 or not np.isfinite(self.w).all():
            raise UsageError("latents must be a finite (N, dimensions) array")
        if self.conditioned.shape != (count,):
            raise UsageError(f"{count} latents but {self.conditioned.shape} marks of conditioning")
        for attribute in attributes:
            column = self.columns.get(attribute.name)
            if column is None:
                raise UsageError(f"the labels have no column for {attribute.name}")
            if column.shape != (count,):
                raise UsageError(f"{attribute.name}: {column.shape} labels for {count} latents")
            seen = column[~np.isnan(column)]
            if not np.isfinite(seen).all():
                raise UsageError(f"{attribute.name}: an infinite label")
            if attribute.discrete and not np.isin(seen, np.arange(attribute.width)).all():
                raise UsageError(f"{attribute.name}: a label outside 0..{attribute.width - 1}")
            if len(np.unique(seen)) < 2:
                raise UsageError(f"{attribute.name}: every label is the same, nothing to learn")


def split(examples: Examples, held_out: float, seed: int) -> tuple[Rows, Rows]:
    """Ascending indices of training and of held-out rows, the same share of either origin."""
    rng = np.random.default_rng(np.random.Philox(key=seed))
    kept_apart = []
    for origin in (False, True):
        rows = np.flatnonzero(examples.conditioned == origin)
        kept_apart.append(rng.permutation(rows)[: round(held_out * len(rows))])
    held = np.sort(np.concatenate(kept_apart))
    return np.setdiff1d(np.arange(len(examples)), held), held
