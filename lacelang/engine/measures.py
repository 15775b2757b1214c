"""A `measure` statement: a share of draws from the prior, and how far off it may be.

A classifier does not say what a draw shows but how likely each value is. `drawn` therefore gives a
draw a value at random: a class by its calibrated probability, or a number from the normal around
the classifier's value with the held-out residual as its spread, so that a draw has one value of
each attribute, as a labelled picture has. `decided` is the likeliest class, or the value itself.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from attrs import frozen
from numpy.typing import NDArray
from torch import Tensor

from lacelang import ir
from lacelang.energy import own_key
from lacelang.engine.fingerprint import condition_text, fingerprint
from lacelang.engine.loading import Model
from lacelang.engine.truth import truth
from lacelang.ir import Attribute, MeasureStatement
from lacelang.progress import Progress
from lacelang.rows import named_in_blocks
from lacelang.samplers.streams import PRIOR_SAMPLE, stream
from lacelang.storage.records import MeasureRecord, rounded
from lacelang.system.threads import Pool, cores
from lacelang.system.torch_state import isolated

#: Standard normal quantile of a two-sided interval of 95 %.
Z_95 = 1.959963984540054


class MeasureTask:
    """One probability to estimate: its statement, the model it is of, the seed in force."""

    def __init__(self, statement: MeasureStatement, model: Model, seed: int) -> None:
        self.statement = statement
        self.model = model
        self.seed = seed
        self.name = statement.name
        weights = {
            **model.weights(conditioned=True),
            "draws": str(DRAWS),
            # The random numbers that give a draw its values come in this order.
            "attributes": " ".join(a.name for a in statement.model.attributes),
        }
        self.fingerprint = fingerprint(statement, seed, weights)

    def run(self, progress: Progress) -> MeasureRecord:
        """Estimate it, as a share of the draws that satisfy the condition, if there is one.

        Its error is that of so many independent draws.
        """
        asked, spec = self.statement, self.statement.model
        attributes = spec.attributes
        if spec.taught:
            # The declared ones may have no classifiers yet.
            attributes = tuple(a for a in attributes if a.name in self.model.heads.columns)
        terms = tuple(ir.own_terms(*asked.conditions.values()).values())
        own: dict[str, Any] = {"terms": terms} if terms else {}
        draws = prior_sample(self.model, attributes, asked.truncation, self.seed, progress, **own)
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

    It stays inside 0..1, without hits too. `z` is a quantile of the standard normal.
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


# By attribute, and by the key of a term of the user's own.
Columns = dict[Any, NDArray[np.float32]]

DRAWS = 100_000
#: Draws that share a stream of random numbers; one for each takes as long as the networks.
BLOCK = 5_000
_MOST_THREADS = 16


@frozen(eq=False)
class PriorSample:
    """Draws from the prior: float32 (N,) by attribute, class numbers or values in its unit."""

    drawn: Columns
    decided: Columns

    def __len__(self) -> int:
        return len(next(iter(self.drawn.values()), ()))


def prior_sample(
    model: Model,
    attributes: Sequence[Attribute],
    truncation: float,
    seed: int,
    progress: Progress,
    draws: int = DRAWS,
    terms: Sequence[ir.OwnTerm] = (),
) -> PriorSample:
    """Return draws from the prior of a model; `attributes` are in the order of declaration.

    `terms` of the user's own are columns by their keys: 1 where a draw meets one, by its
    probability.

    The model remembers the last few results.
    """

    def make() -> PriorSample:
        blocks = []
        # In each thread torch works alone: their number changes no bit.
        threads = Pool(min(cores(), _MOST_THREADS), "prior draws")
        block = partial(_block, model, attributes, terms, truncation, seed, draws)
        with progress.stage("measuring", draws) as stage, threads as pool:
            for made in pool.each(block, range(-(-draws // BLOCK))):
                blocks.append(made)
                stage.advance(len(made))
        return PriorSample(
            {key: np.concatenate([b.drawn[key] for b in blocks]) for key in keys},
            {key: np.concatenate([b.decided[key] for b in blocks]) for key in keys},
        )

    names = tuple(attribute.name for attribute in attributes)
    keys = (*names, *(own_key(term.name) for term in terms))
    return model.remembered(("prior sample", keys, truncation, seed, draws), make)


def _block(
    model: Model,
    attributes: Sequence[Attribute],
    terms: Sequence[ir.OwnTerm],
    truncation: float,
    seed: int,
    draws: int,
    number: int,
) -> PriorSample:
    """The draws of block `number`, of which the last one has what is left."""
    random = stream(seed, number, PRIOR_SAMPLE)
    count = min(BLOCK, draws - number * BLOCK)
    dim = model.generator.latent_dim
    z = torch.from_numpy(random.standard_normal((BLOCK, dim), dtype=np.float32)[:count])
    found = PriorSample({}, {})
    with isolated(), torch.no_grad():
        # Also by the keys of terms of the user's own.
        outputs: dict[Any, Tensor] = named_in_blocks(
            model.features(truncation), z.to(model.latents_device)
        )
        for attribute in attributes:
            uniform, normal = random.random(BLOCK)[:count], random.standard_normal(BLOCK)[:count]
            output = outputs[attribute.name].double()
            drawn: NDArray[Any]
            decided: NDArray[Any]
            if attribute.limits is not None:
                decided = output.cpu().numpy()
                drawn = decided + model.sigma[attribute.name] * normal
                # No age is below zero, even in the residual's tail.
                drawn, decided = (x.clip(*attribute.limits) for x in (drawn, decided))
            else:
                drawn, decided = _classes(output, uniform)
            found.drawn[attribute.name] = drawn.astype(np.float32)
            found.decided[attribute.name] = decided.astype(np.float32)
        for term in terms:
            key = own_key(term.name)
            probability = torch.exp(-outputs[key].double().clamp_min(0.0)).cpu().numpy()
            met = random.random(BLOCK)[:count] < probability
            found.drawn[key] = met.astype(np.float32)
            found.decided[key] = (probability > 0.5).astype(np.float32)
    return found


def _classes(logits: Tensor, uniform: NDArray[np.float64]) -> tuple[NDArray[np.int64], ...]:
    """A class for each of N draws, at random by its probability, and the likeliest."""
    up_to = logits.softmax(dim=1).cumsum(dim=1).cpu().numpy()
    # All but the last: the sum of all may be a little below 1.
    return (uniform[:, None] >= up_to[:, :-1]).sum(axis=1), logits.argmax(dim=1).cpu().numpy()
