"""`lacelang label`: from a generator to a table of labels, in rounds.

The first round annotates prior draws. In each further round, classifiers trained on all rows so far
steer the generator to rare combinations, and these samples are annotated. Draws and measures are
kept in the cache, so that a killed run goes on where it stopped.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import partial

import numpy as np
from attrs import evolve

from lacelang.annotators import all_judging
from lacelang.classifiers import rare
from lacelang.classifiers.draws import Draws, from_prior, joined
from lacelang.classifiers.labels import Columns, Labels, columns_of
from lacelang.classifiers.measuring import MEASURED, Source, measure
from lacelang.classifiers.training import train
from lacelang.generators.generator import Generator
from lacelang.ir import Attribute
from lacelang.progress import Progress
from lacelang.storage.arrays import Arrays
from lacelang.storage.cache import cache_dir, kept_arrays

#: Faces of the published tables, and the share of them that is conditioned.
COUNT = 12_000
RARE_SHARE = 1 / 3
#: The published tables' seed, far from those of usual programs.
SEED = 6862
#: The rounds after the first: pairs and triples of any attributes, then triples of those that
#: programs use most. None has four at once, as the zero-shot programs do.
ROUNDS = (
    rare.Kind(sizes=(2, 3), rare=0.01),
    rare.Kind(sizes=(3,), rare=0.002, among=("smile", "glasses", "gender", "beard", "age")),
)


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
    """Decode, annotate and label `count` latents.

    The share `rare_share` is conditioned on rare combinations, divided evenly over `ROUNDS`.
    `source` is the same generator, for the worker processes; `workers` None takes one per core.

    Raises:
        UsageError: no annotator sees one of the attributes, or there are too few prior rows to
            train classifiers on.
        ResourceError: weights cannot be had, or the cache cannot be written.
    """
    annotators = all_judging({attribute.name for attribute in attributes})

    def labels_of(draws: Draws, title: str) -> Columns:
        measured = measure(
            source, draws, annotators, progress=progress, workers=workers, title=title
        )
        return columns_of(measured, annotators)

    each = round(count * rare_share / len(ROUNDS))
    first = from_prior(seed, count - each * len(ROUNDS), generator.latent_dim)
    prior_columns = labels_of(first, "prior faces")
    about = {"generator": str(source.weights or source.architecture)}
    table = Labels(seed, len(first), first.rows(slice(0, 0)), prior_columns, about)
    if not each:
        return table
    asked: list[str] = []
    for number, kind in enumerate(ROUNDS, start=1):
        wanted = rare.combinations(attributes, prior_columns, -(-each // rare.EACH), kind, seed)
        asked += map(str, wanted)
        path = cache_dir() / MEASURED / f"draws-{_key(table, asked, seed)}.safetensors"

        steered = partial(_steered, generator, attributes, table, wanted, each, seed, number)
        # Training is not bit-identical on every machine, so its draws are kept.
        kept = kept_arrays(path, f"drawing rare faces, round {number}", partial(steered, progress))
        draws = Draws(kept["z"], kept["psi"])
        columns = labels_of(draws, f"rare faces, round {number}")
        table = evolve(
            table,
            conditioned=joined([table.conditioned, draws]),
            columns={n: np.concatenate([c, columns[n]]) for n, c in table.columns.items()},
        )
    return evolve(table, about={**about, "combinations": asked})


def _steered(
    generator: Generator,
    attributes: Sequence[Attribute],
    table: Labels,
    wanted: Sequence[rare.Combination],
    count: int,
    seed: int,
    number: int,
    progress: Progress,
) -> Arrays:
    """Train classifiers on the rows so far, and draw latents of rare combinations with them."""
    with progress.stage(f"training classifiers, round {number}") as stage:
        heads = train(table.examples(generator), attributes, seed=seed).heads
        stage.advance()
    draws = rare.draw(generator, heads, wanted, count=count, seed=seed + number, progress=progress)
    return {"z": draws.z, "psi": draws.psi}


def _key(table: Labels, asked: list[str], seed: int) -> str:
    """Return a digest of what conditioned latents depend on: the labels, and what was asked."""
    digest = hashlib.sha256(repr((asked, seed)).encode())
    for name in sorted(table.columns):
        digest.update(table.columns[name].tobytes())
    digest.update(table.conditioned.z.tobytes())
    return digest.hexdigest()[:16]
