"""Latents conditioned on rare combinations of attributes.

Classifiers trained on the rows labelled so far steer the generator to combinations that ten
thousand prior draws would hardly show. Combinations are drawn at random and kept if they are rare.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from attrs import frozen
from torch import Tensor

from lacelang.classifiers.classifier import Heads
from lacelang.classifiers.draws import Draws, rounded, unrounded
from lacelang.classifiers.labels import Columns
from lacelang.energy import ConditionalEnergy, Node, NormalAt, Surprisal, conjunction
from lacelang.generators.generator import Generator
from lacelang.ir import Attribute
from lacelang.progress import Progress
from lacelang.samplers import SAMPLERS
from lacelang.samplers.streams import prior

#: Samples of one combination.
EACH = 20
TRUNCATION = 0.7
# How near a number must be to the one asked for to count as shown, in shares of its range.
_NEAR = 0.1
_GIVE_UP = 10_000


@frozen
class Combination:
    """Wanted values by attribute: a class index, or a number in the attribute's unit."""

    wanted: tuple[tuple[Attribute, float], ...]

    def __str__(self) -> str:
        return " and ".join(
            f"{a.name}={a.values[int(v)] if a.discrete else format(v, '.3g')}"
            for a, v in self.wanted
        )

    def node(self, sigma: Mapping[str, float]) -> Node:
        """The combination as an energy."""
        return conjunction(
            Surprisal(a.name, {int(v)}) if a.discrete else NormalAt(a.name, v, sigma[a.name])
            for a, v in self.wanted
        )

    def share(self, columns: Columns) -> float:
        """Share of labelled rows that show it."""
        shown = [
            np.abs(columns[a.name] - v) < (0.5 if a.discrete else _NEAR * (a.high - a.low))
            for a, v in self.wanted
        ]
        return float(np.all(shown, axis=0).mean())


@frozen
class Kind:
    """Which combinations to draw."""

    sizes: tuple[int, ...]  # how many attributes one may have
    rare: float  # one is kept if fewer of the prior's faces than this share show it
    among: tuple[str, ...] = ()  # names of the attributes to choose from; empty means all


def combinations(
    attributes: Sequence[Attribute], columns: Columns, count: int, kind: Kind, seed: int
) -> list[Combination]:
    """Draw up to `count` different combinations that are rare in these labels of prior draws."""
    attributes = [a for a in attributes if not kind.among or a.name in kind.among]
    rng = np.random.default_rng(seed)
    found: dict[str, Combination] = {}
    for _ in range(_GIVE_UP):
        if len(found) == count:
            break
        size = rng.choice(kind.sizes)
        chosen = sorted(rng.choice(len(attributes), size=size, replace=False))
        combination = Combination(
            tuple((a, _value(a, rng)) for a in (attributes[k] for k in chosen))
        )
        if combination.share(columns) < kind.rare:
            found[str(combination)] = combination
    return list(found.values())


def _value(attribute: Attribute, rng: np.random.Generator) -> float:
    if attribute.discrete:
        return float(rng.integers(attribute.width))
    return float(rng.uniform(attribute.low, attribute.high))


def draw(
    generator: Generator,
    heads: Heads,
    wanted: Sequence[Combination],
    *,
    count: int,
    seed: int,
    progress: Progress,
) -> Draws:
    """Sample `EACH` latents for each combination, `count` altogether."""

    def features(z: Tensor) -> dict[str, Tensor]:
        outputs: dict[str, Tensor] = heads(generator.truncate(generator.mapping(z), TRUNCATION))
        return outputs

    latents = []
    with progress.stage("sampling rare combinations", total=count) as stage:
        for k, combination in enumerate(wanted[: -(-count // EACH)]):
            indices = range(k * EACH, min((k + 1) * EACH, count))
            energy = ConditionalEnergy(features, combination.node(heads.sigma))
            z = SAMPLERS["heun"](energy, prior(seed, indices, generator.latent_dim)).z
            # z's length changes no image; the prior's own keeps it within the rounded range.
            z = z * (generator.latent_dim**0.5 / z.norm(dim=1, keepdim=True))
            latents.append(unrounded(rounded(z.numpy())))
            stage.advance(len(indices))
    return Draws.at(np.concatenate(latents), TRUNCATION)
