"""A `measure` statement: a share of draws from the prior, and how far off it may be."""

from __future__ import annotations

import numpy as np
from attrs import frozen

from lacelang.engine.fingerprint import condition_text, fingerprint
from lacelang.engine.interval import wilson
from lacelang.engine.loading import Model
from lacelang.engine.prior_sample import DRAWS, prior_sample
from lacelang.engine.truth import truth
from lacelang.ir import MeasureStatement
from lacelang.progress import Progress
from lacelang.storage.records import MeasureRecord, rounded


@frozen(eq=False)
class MeasureTask:
    """One probability to estimate: its statement, the model it is of, the seed in force."""

    statement: MeasureStatement
    model: Model
    seed: int
    fingerprint: str

    @property
    def name(self) -> str:
        """The statement's name."""
        return self.statement.name

    def run(self, progress: Progress) -> MeasureRecord:
        """Estimate it.

        Both shares are of the draws that satisfy the condition, if there is one: a ratio of two
        counts, whose error is that of so many independent draws.

        Raises:
            ResourceError: the classifiers cannot be had.
        """
        what, given, model = self.statement.what, self.statement.given, self.model
        faces = prior_sample(
            model, self.statement.model.attributes, self.statement.truncation, self.seed, progress
        )
        counts = []
        for columns in (faces.drawn, faces.decided):
            among = np.ones(len(faces), bool) if given is None else truth(given, columns)
            counts.append((int((truth(what, columns) & among).sum()), int(among.sum())))
        (hits, among_drawn), (verdicts, among_decided) = counts
        low, high = wilson(hits, among_drawn) if among_drawn else (None, None)
        return MeasureRecord(
            name=self.statement.name,
            what=condition_text(what),
            given=None if given is None else condition_text(given),
            model=self.statement.model.name,
            truncation=self.statement.truncation,
            seed=self.seed,
            fingerprint=self.fingerprint,
            draws=len(faces),
            given_draws=among_drawn,
            value=_share(hits, among_drawn),
            low=None if low is None else rounded(low),
            high=None if high is None else rounded(high),
            decided=_share(verdicts, among_decided),
        )


def measure_task(statement: MeasureStatement, model: Model, seed: int) -> MeasureTask:
    """Settle what a statement is to measure, with the seed in force."""
    weights = {
        **model.weights(conditioned=True),
        "draws": str(DRAWS),
        # The random numbers that give a draw its values come in this order.
        "attributes": " ".join(attribute.name for attribute in statement.model.attributes),
    }
    return MeasureTask(statement, model, seed, fingerprint(statement, seed, weights))


def _share(hits: int, draws: int) -> float | None:
    return rounded(hits / draws) if draws else None
