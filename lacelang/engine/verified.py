"""Samples that the annotators agree with: drawn anew until their images show the condition."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeAlias

import numpy as np
from attrs import evolve, frozen
from numpy.typing import NDArray

from lacelang import ir
from lacelang.annotators import judging
from lacelang.engine.annotating import AnnotatorPool, columns_of
from lacelang.engine.drawn import values_of, wanted_columns
from lacelang.engine.loading import Model
from lacelang.engine.tasks import Batch
from lacelang.engine.truth import truth
from lacelang.progress import Progress, Stage
from lacelang.samplers.solution import Status
from lacelang.storage.latents import Latents

Attempt: TypeAlias = Callable[[Sequence[int], int], Batch]
"""Draws candidate t of the samples of some indices."""


def annotators_of(statement: ir.SampleStatement) -> dict[str, str]:
    """Return what verified samples depend on beside a model: the annotators and their versions."""
    if statement.verified is None or statement.where is None:
        return {}
    found = judging(set(ir.attributes(statement.where)))
    return {"annotators": " ".join(f"{each.name}-{each.version}" for each in found)}


@frozen(eq=False)
class Verification:
    """Judges the candidates of a statement, with its annotators loaded."""

    statement: ir.SampleStatement
    model: Model
    seed: int
    annotators: AnnotatorPool

    @classmethod
    def of(
        cls, statement: ir.SampleStatement, model: Model, seed: int, progress: Progress
    ) -> Verification:
        """Load the annotators of a statement's condition.

        Raises:
            ResourceError: a package is missing, or weights cannot be had.
        """
        assert statement.where is not None
        pool = AnnotatorPool(set(ir.attributes(statement.where)), progress)
        return cls(statement, model, seed, pool)

    def draw(self, attempt: Attempt, indices: Sequence[int], stage: Stage) -> Batch:
        """Draw samples until the annotators agree with each, `tries` times at most.

        A sample that they never agree with is the candidate that shows most terms of the condition,
        the first of several; its status is `unverified`.
        """
        assert self.statement.verified is not None
        tries = self.statement.verified
        best: dict[int, tuple[int, Batch, int]] = {}  # by index: terms shown, batch, and its row
        left, seconds, taken = list(indices), 0.0, dict.fromkeys(indices, 0)
        terms = self._terms()
        for number in range(tries):
            batch = attempt(left, number)
            seconds += batch.seconds
            shown = self._shown(terms, left, batch)
            for row, index in enumerate(left):
                taken[index] += 1
                count = int(shown[:, row].sum())
                if index not in best or count > best[index][0]:
                    best[index] = count, batch, row
            held = [bool(column.all()) for column in shown.T]
            stage.advance(sum(held) if number < tries - 1 else len(left))
            left = [index for index, good in zip(left, held, strict=True) if not good]
            if not left:
                break
        failed, records = set(left), []
        for index in indices:
            _, batch, row = best[index]
            record = evolve(batch.records[row], tries=taken[index])
            wrong = index in failed
            records.append(evolve(record, status=Status.unverified.name) if wrong else record)
        rows = [best[index][1].latents.rows([best[index][2]]) for index in indices]
        return Batch(tuple(records), Latents.joined(rows), seconds)

    def _terms(self) -> list[ir.Predicate]:
        """The terms of the outer `and`s of the condition; what has weight 0 is none."""
        assert self.statement.where is not None
        return [term for term, _ in ir.conjuncts(ir.simplified(self.statement.where))]

    def _shown(
        self, terms: Sequence[ir.Predicate], indices: Sequence[int], batch: Batch
    ) -> NDArray[np.bool_]:
        """Which terms (k, n) the candidates show."""
        where = self.statement.where
        assert where is not None
        looks = (partial(self._decoded, batch, row) for row in range(len(indices)))
        seen = list(self.annotators.annotate(looks, Stage()))
        wanted = wanted_columns(where, values_of(where, self.seed, indices))
        columns = {**columns_of(seen, ir.attributes(where)), **wanted}
        shown = [truth(term, columns) for term in terms]
        return np.array(shown, bool).reshape(len(terms), len(indices))

    def _decoded(self, batch: Batch, row: int) -> NDArray[np.uint8]:
        return next(self.model.decode(batch.latents.rows([row]).w))
