"""`lacelang label`: from a generator to a table of labels, in rounds.

The first round annotates prior draws. In each further round, classifiers trained on all rows so far
find latents of rare combinations, and these are annotated. Draws and measures are kept in the
cache, so that a killed run goes on where it stopped.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from functools import partial
from itertools import cycle, islice

import numpy as np
from attrs import evolve

from lacelang.annotators import Annotator, all_judging
from lacelang.classifiers import rare
from lacelang.classifiers.draws import Draws, from_prior, joined, truncations_around
from lacelang.classifiers.labels import Columns, Labels, columns_of
from lacelang.classifiers.measuring import MEASURED, Source, measure
from lacelang.classifiers.training import train
from lacelang.errors import UsageError
from lacelang.generators import ARCHITECTURES
from lacelang.generators.generator import Generator
from lacelang.ir import Attribute
from lacelang.progress import Progress
from lacelang.storage.arrays import Arrays
from lacelang.storage.cache import cache_dir, kept_arrays

#: Images of the published table of `ffhq`, and the share of them that is conditioned.
COUNT = 16_000
RARE_SHARE = 1 / 2
#: The published tables' seed, far from those of usual programs.
SEED = 6862


def label(
    generator: Generator,
    source: Source,
    attributes: Sequence[Attribute],
    *,
    count: int = COUNT,
    rare_share: float = RARE_SHARE,
    seed: int = SEED,
    begun: Labels | None = None,
    annotator: Annotator | None = None,
    workers: int | None = None,
    progress: Progress,
) -> Labels:
    """Decode, annotate and label `count` latents.

    The share `rare_share` is conditioned on combinations, divided evenly over `rare.rounds`.
    `begun` is a table of the same draws with fewer rounds, to go on from. `annotator` judges the
    attributes that it knows; others are judged by the registered ones. `source` is the same
    generator, for the worker processes; `workers` None takes one per core.

    Raises:
        UsageError: no annotator sees one of the attributes, there are too few prior rows to train
            classifiers on, or `begun` is of other draws.
        ResourceError: weights cannot be had, or the cache cannot be written.
    """
    names = {attribute.name for attribute in attributes}
    annotators: tuple[Annotator, ...] = () if annotator is None else (annotator,)
    if rest := names - {name for each in annotators for name in each.attributes}:
        annotators += all_judging(rest)

    def labels_of(draws: Draws, title: str) -> Columns:
        measured = measure(
            source, draws, annotators, progress=progress, workers=workers, title=title
        )
        found = columns_of(measured, annotators)
        return {attribute.name: found[attribute.name] for attribute in attributes}

    rounds = rare.rounds(attributes)
    each = round(count * rare_share / len(rounds))
    prior_count = count - each * len(rounds)
    default = ARCHITECTURES[source.architecture].truncation
    truncations = truncations_around(default)
    about = {"generator": str(source.weights or source.architecture)}
    if annotator is not None:
        about["annotator"] = annotator.name
    if begun is not None and begun.about.get("annotator") != about.get("annotator"):
        raise UsageError(
            "the table was labelled by another annotator, or with other prompts or weights; name "
            "that one, or label anew, without the table"
        )
    if begun is None:
        first = from_prior(seed, prior_count, generator.latent_dim, truncations)
        columns = labels_of(first, "prior draws")
        none = first.rows(slice(0, 0))
        begun = Labels(seed, prior_count, none, columns, about, truncations)
    seen = {attribute.name for attribute in attributes}
    own = seed, prior_count, truncations, about["generator"]
    table, done = begun, _rounds_done(begun, own, each, len(rounds), seen)
    prior_columns = {name: column[:prior_count] for name, column in table.columns.items()}
    asked: list[str] = list(table.about.get("combinations", ()))
    for number, kind in enumerate(rounds[done:] if each else (), start=done + 1):
        needed = -(-each // rare.EACH)
        wanted = rare.combinations(attributes, prior_columns, needed, kind, seed)
        asked += map(str, wanted)
        # Where there are few different ones, each is drawn several times.
        wanted = list(islice(cycle(wanted), needed))
        path = cache_dir() / MEASURED / f"draws-{_key(table, asked, seed)}.safetensors"

        ask = partial(_found, generator, attributes, table, wanted, kind, each, default)
        found = partial(ask, seed, number)
        # Training is not bit-identical on every machine, so its draws are kept.
        kept = kept_arrays(path, f"drawing combinations, round {number}", partial(found, progress))
        draws = Draws(kept["z"], kept["psi"])
        columns = labels_of(draws, f"combinations, round {number}")
        table = evolve(
            table,
            conditioned=joined([table.conditioned, draws]),
            columns={n: np.concatenate([c, columns[n]]) for n, c in table.columns.items()},
        )
    return evolve(table, about={**about, "combinations": asked})


def _rounds_done(
    table: Labels,
    wanted: tuple[int, int, tuple[float, float], str],
    each: int,
    rounds: int,
    seen: Collection[str],
) -> int:
    """Return how many rounds after the first a table has.

    A UsageError if its seed, number of prior rows, truncations or generator are not those
    `wanted`, or its labels are of other attributes than those `seen`.
    """
    own = table.prior_seed, table.prior_count, table.truncations, table.about.get("generator")
    seed, prior_count, *_ = wanted
    done, left = divmod(len(table.conditioned), each) if each else (0, len(table.conditioned))
    if own != wanted or left or done > rounds:
        raise UsageError(
            f"the table has {table.prior_count} prior draws (seed {table.prior_seed}) and "
            f"{len(table.conditioned)} others, and is not the beginning of one with {prior_count} "
            f"prior draws (seed {seed}) and rounds of {each} others, of the same generator; give "
            "the numbers of images, the fraction and the seed that it was made with"
        )
    if set(table.columns) != set(seen):
        raise UsageError(
            f"the table has labels of {', '.join(sorted(table.columns))}, and what is labelled is "
            f"{', '.join(sorted(seen))}; label anew, without the table"
        )
    return done


def _found(
    generator: Generator,
    attributes: Sequence[Attribute],
    table: Labels,
    wanted: Sequence[rare.Combination],
    kind: rare.Kind,
    count: int,
    truncation: float,
    seed: int,
    number: int,
    progress: Progress,
) -> Arrays:
    """Train classifiers on the rows so far, and find latents of rare combinations with them."""
    with progress.stage(f"training classifiers, round {number}") as stage:
        heads = train(table.examples(generator), attributes, seed=seed).heads
        stage.advance()
    search = rare.Search(generator, heads, seed + number, progress, truncation)
    draws = (search.chosen if kind.exact else search.moved)(wanted, count)
    return {"z": draws.z, "psi": draws.psi}


def _key(table: Labels, asked: list[str], seed: int) -> str:
    """Return a digest of what conditioned latents depend on: the labels, and what was asked."""
    digest = hashlib.sha256(repr((asked, seed)).encode())
    for name in sorted(table.columns):
        digest.update(table.columns[name].tobytes())
    digest.update(table.conditioned.z.tobytes())
    return digest.hexdigest()[:16]
