"""`lacelang label`: from a generator to a table of labels, in two rounds.

The first round paints and measures prior draws. Classifiers trained on them then steer the
generator to rare combinations, which the second round paints and measures. Everything measured is
kept in the cache, so a killed run goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from lacelang.attributes import rare
from lacelang.attributes.draws import Draws, from_prior
from lacelang.attributes.labels import Labels, columns_of
from lacelang.attributes.measuring import Measured, Source, measure
from lacelang.attributes.schema import Attribute
from lacelang.attributes.training import train

if TYPE_CHECKING:
    from lacelang.models.generator import Generator
    from lacelang.output.progress import Progress

#: Faces of the published tables, and the share of them drawn where the prior is thin.
COUNT = 10_000
RARE_SHARE = 0.2
#: The published tables' seed: far from those that people give their programs.
SEED = 6862


def label(
    generator: Generator,
    source: Source,
    attributes: Sequence[Attribute],
    *,
    count: int = COUNT,
    rare_share: float = RARE_SHARE,
    seed: int = SEED,
    workers: int | None = None,
    progress: Progress,
) -> Labels:
    """Paint, measure and label `count` latents.

    Args:
        generator: whose mapping and truncation the latents go through.
        source: the same generator, for the worker processes to load.
        attributes: what the model declares; each must be one that the annotators measure.
        count: how many faces.
        rare_share: share of them drawn from rare combinations.
        seed: of all draws.
        workers: processes; None means one per core.
        progress: where to show how far it is.

    Raises:
        UsageError: too few prior rows to train a first round on.
        ResourceError: weights cannot be had, or the cache cannot be written.
    """
    dim = generator.latent_dim
    conditioned_count = round(count * rare_share)
    prior_count = count - conditioned_count
    prior_draws = from_prior(seed, prior_count, dim)
    first = measure(source, prior_draws, progress=progress, workers=workers, title="prior faces")
    nothing = Draws(np.empty((0, dim), np.float32), np.empty(0, np.float32))
    about: dict[str, object] = {"generator": str(source.archive)}
    columns = columns_of(first)
    labels = Labels(seed, prior_count, nothing, columns, about)
    if not conditioned_count:
        return labels
    with progress.stage("training a first round of classifiers") as stage:
        heads = train(labels.examples(generator), attributes, seed=seed).heads
        stage.advance()
    wanted = rare.combinations(attributes, columns, -(-conditioned_count // rare.EACH), seed=seed)
    draws = rare.draw(
        generator, heads, wanted, count=conditioned_count, seed=seed + 1, progress=progress
    )
    second = measure(source, draws, progress=progress, workers=workers, title="rare faces")
    about["combinations"] = [str(combination) for combination in wanted]
    both = Measured(
        np.concatenate([first.raw, second.raw]),
        np.concatenate([first.embedding, second.embedding]),
    )
    return Labels(seed, prior_count, draws, columns_of(both), about)
