"""A `measure` statement: a share of draws from the prior, and how far off it may be."""

from __future__ import annotations

import math

import numpy as np
from attrs import frozen

from lacelang.engine.fingerprint import condition_text, fingerprint
from lacelang.engine.loading import Model
from lacelang.engine.prior_sample import DRAWS, prior_sample
from lacelang.engine.truth import truth
from lacelang.ir import MeasureStatement
from lacelang.progress import Progress
from lacelang.storage.records import MeasureRecord, rounded

#: Standard normal quantile of a two-sided interval of 95 %.
Z_95 = 1.959963984540054


@frozen(eq=False)
class MeasureTask:
    """One probability to estimate: its statement, the model it is of, the seed in force."""

    statement: MeasureStatement
    model: Model
    seed: int

    @property
    def name(self) -> str:
        """The statement's name."""
        return self.statement.name

    @property
    def fingerprint(self) -> str:
        """A digest of all that the estimate depends on."""
        weights = {
            **self.model.weights(conditioned=True),
            "draws": str(DRAWS),
            # The random numbers that give a draw its values come in this order.
            "attributes": " ".join(a.name for a in self.statement.model.attributes),
        }
        return fingerprint(self.statement, self.seed, weights)

    def run(self, progress: Progress) -> MeasureRecord:
        """Estimate it.

        Both shares are of the draws that satisfy the condition, if there is one: a ratio of two
        counts, whose error is that of so many independent draws.

        Raises:
            ResourceError: the classifiers cannot be had.
        """
        asked, spec = self.statement, self.statement.model
        draws = prior_sample(self.model, spec.attributes, asked.truncation, self.seed, progress)
        counts = []
        for columns in (draws.drawn, draws.decided):
            among = np.ones(len(draws), bool)
            if asked.given is not None:
                among = truth(asked.given, columns)
            counts.append((int((truth(asked.what, columns) & among).sum()), int(among.sum())))
        (hits, given_draws), decided = counts
        low, high = wilson(hits, given_draws) if given_draws else (math.nan, math.nan)
        return MeasureRecord(
            name=self.name,
            what=condition_text(asked.what),
            given=None if asked.given is None else condition_text(asked.given),
            model=spec.name,
            truncation=asked.truncation,
            seed=self.seed,
            fingerprint=self.fingerprint,
            draws=len(draws),
            given_draws=given_draws,
            value=_share(hits, given_draws),
            low=rounded(low),
            high=rounded(high),
            decided=_share(*decided),
        )


def wilson(hits: int, draws: int, z: float = Z_95) -> tuple[float, float]:
    """Return Wilson's score interval of a probability (Wilson 1927).

    It stays inside 0..1 and says something sensible of no hits and of nothing but hits.

    Args:
        hits: draws in which the event came, 0 … draws.
        draws: at least 1.
        z: quantile of the standard normal.
    """
    share = hits / draws
    shrink = 1 + z * z / draws
    centre = (share + z * z / (2 * draws)) / shrink
    reach = z / shrink * math.sqrt(share * (1 - share) / draws + (z / (2 * draws)) ** 2)
    low = 0.0 if hits == 0 else max(0.0, centre - reach)
    high = 1.0 if hits == draws else min(1.0, centre + reach)
    return low, high


def _share(hits: int, draws: int) -> float | None:
    return rounded(hits / draws) if draws else None
