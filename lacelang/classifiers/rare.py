"""Latents conditioned on rare combinations of attributes.

Classifiers trained on the rows labelled so far choose latents of combinations that ten thousand
prior draws would hardly show. Combinations are drawn at random and kept if they are rare.

A flow moves draws until the classifiers are certain; its labels show where they should not be.
Exact draws lie where the prior has most of what they call the combination; their labels show where
the classes really meet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import torch
from attrs import frozen
from torch import Tensor

from lacelang.classifiers.classifier import Heads
from lacelang.classifiers.draws import Draws, rounded, unrounded
from lacelang.classifiers.labels import Columns
from lacelang.energy import (
    ATYPICALITY,
    ConditionalEnergy,
    Node,
    NormalAt,
    Outputs,
    Surprisal,
    bounded,
    conjunction,
)
from lacelang.generators.generator import Generator, atypicality
from lacelang.ir import Attribute
from lacelang.progress import Progress
from lacelang.samplers import SAMPLERS
from lacelang.samplers.declaration import TYPICAL
from lacelang.samplers.problem import Target
from lacelang.samplers.streams import prior

#: Samples of one combination.
EACH = 20
#: Prior draws among which exact draws are chosen: of a combination of one in 50 000, all 20.
POOL = 2**20
_BATCH = 4096
# How near a number must be to the one asked for to count as shown, in shares of its range.
_NEAR = 0.1
#: Attributes of faces that programs combine most.
OFTEN = ("smile", "glasses", "gender", "beard", "age")
_SEVERAL = 3
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
    exact: bool = False  # drawn by rejection from the prior, not by a flow
    among: tuple[str, ...] = ()  # names of the attributes to choose from; empty means all


def rounds(attributes: Sequence[Attribute]) -> tuple[Kind, ...]:
    """Which combinations the rounds after the first draw, for a model with these attributes.

    Of three attributes or more: pairs and triples of any, then triples of those that programs use
    most, then their rarest pairs and triples, first exact draws of them, then flows. None has four
    at once, as the zero-shot programs do. Of fewer: each class, where flows take it.
    """
    if len(attributes) < _SEVERAL:
        return (Kind(sizes=(1,), rare=1.0), Kind(sizes=(1,), rare=1.0))
    often = tuple(a.name for a in attributes if a.name in OFTEN)
    often = often if len(often) >= _SEVERAL else ()
    return (
        Kind(sizes=(2, 3), rare=0.01),
        Kind(sizes=(3,), rare=0.002, among=often),
        Kind(sizes=(2, 3), rare=0.001, among=often, exact=True),
        Kind(sizes=(2, 3), rare=0.001, among=often),
    )


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


@frozen(eq=False)
class Search:
    """Finds latents of combinations that classifiers see, at one truncation."""

    generator: Generator
    heads: Heads
    seed: int
    progress: Progress
    truncation: float
    pool: int = POOL

    def moved(self, wanted: Sequence[Combination], count: int) -> Draws:
        """Move prior draws by the default flow without slack: `EACH` of one, `count` in all."""
        latents = []
        typical = float(TYPICAL.default or 0.0)
        with self.progress.stage("sampling rare combinations", total=count) as stage:
            for k, combination in enumerate(wanted[: -(-count // EACH)]):
                indices = range(k * EACH, min((k + 1) * EACH, count))
                node = combination.node(self.heads.sigma)
                target = Target(
                    ConditionalEnergy(self._outputs, node),
                    ConditionalEnergy(self._outputs, bounded(node, typical)),
                )
                z = SAMPLERS["exponential"](target, self._prior(indices)).z
                if self._ignores_length(z):
                    # The prior's own length keeps it within the rounded range.
                    z = z * (self.generator.latent_dim**0.5 / z.norm(dim=1, keepdim=True))
                latents.append(unrounded(rounded(z.numpy())))
                stage.advance(len(indices))
        return Draws.at(np.concatenate(latents), self.truncation)

    def chosen(self, wanted: Sequence[Combination], count: int) -> Draws:
        """Choose prior draws by rejection: `EACH` of one combination, `count` in all.

        All combinations share one pool of draws. A draw is accepted with probability e^-E. Where
        fewer than `EACH` are, those that came nearest to acceptance follow.
        """
        parts: list[Outputs] = []
        with self.progress.stage("draws from the prior", total=self.pool) as stage:
            for start in range(0, self.pool, _BATCH):
                indices = range(start, min(start + _BATCH, self.pool))
                with torch.inference_mode():
                    parts.append(self._outputs(self._prior(indices)))
                stage.advance(len(indices))
        outputs = {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
        rng = np.random.default_rng(self.seed)
        chosen: list[int] = []
        for combination in wanted[: -(-count // EACH)]:
            energy = combination.node(self.heads.sigma)(outputs).numpy()
            missed = energy - rng.standard_exponential(self.pool)
            chosen += np.argsort(missed.clip(0.0), kind="stable")[:EACH].tolist()
        z = self._prior(chosen[:count]).numpy()
        return Draws.at(unrounded(rounded(z)), self.truncation)

    def _ignores_length(self, z: Tensor) -> bool:
        """Whether the length of z changes nothing, as after StyleGAN's normalisation."""
        some = z[:1]
        with torch.inference_mode():
            return torch.allclose(
                self.generator.mapping(some), self.generator.mapping(2.0 * some), atol=1e-4
            )

    def _prior(self, indices: Iterable[int]) -> Tensor:
        return prior(self.seed, indices, self.generator.latent_dim)

    def _outputs(self, z: Tensor) -> Outputs:
        w = self.generator.mapping(z)
        outputs: Outputs = self.heads(self.generator.truncate(w, self.truncation))
        return {**outputs, ATYPICALITY: atypicality(self.generator.whiten(w))}
