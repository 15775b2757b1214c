"""Latent-JEM (LACE, A.4): classifiers whose logits are a density of latents as well.

The loss has a further term, minus the log-likelihood of latents from the prior under

    E(z) = ||z||^2 / 2 - sum over discrete i of logsumexp f_i(g(z))

Its gradient needs samples of that energy, which come from persistent Langevin chains in a buffer.

The paper leaves open how. Here chains move in z, with the larger of the paper's two step sizes,
since with the smaller one they hardly move, and with noise of sqrt(2 step), with which they sample
this energy. Truncations are spread like those of the labelled rows. Nothing is calibrated: scaled
logits are another density.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from attrs import asdict, evolve, frozen
from torch import Tensor

from lacelang.classifiers.classifier import Arrangement, Heads
from lacelang.classifiers.draws import TRUNCATIONS
from lacelang.classifiers.labels import Examples
from lacelang.classifiers.training import Progress, Recipe, TrainResult
from lacelang.classifiers.training import train as train_classifiers
from lacelang.generators.generator import Generator
from lacelang.ir import Attribute

#: The paper's step sizes.
STEP_SIZES = (0.1, 0.01)
#: Passes over the labels: by then neither loss falls much further.
EPOCHS = 40


@frozen
class Chains:
    """The Langevin chains of the training."""

    step: float = STEP_SIZES[0]
    steps: int = 5  # of a chain in one step of training
    count: int = 32  # chains that one step of training advances
    buffer: int = 10_000  # all chains, as in the paper
    renewed: float = 0.05  # share of the advanced chains that begin again, from the prior


def train(
    examples: Examples,
    attributes: Sequence[Attribute],
    generator: Generator,
    recipe: Recipe,
    *,
    heads: Arrangement = "single",
    seed: int = 0,
    progress: Progress | None = None,
    chains: Chains | None = None,
) -> TrainResult:
    """Train uncalibrated classifiers with the likelihood of latents in the loss; see `training`.

    At least one attribute must be discrete.
    """
    settings = chains or Chains()
    result = train_classifiers(
        examples,
        attributes,
        recipe=evolve(recipe, calibrate=False),
        heads=heads,
        seed=seed,
        progress=progress,
        term=Likelihood(generator, seed, settings),
    )
    return evolve(result, report={**result.report, "latent_jem": asdict(settings)})


def marginal(outputs: Mapping[str, Tensor]) -> Tensor:
    """The energy (N,) that the logits add to the prior's: minus the sum of their logsumexp."""
    logits = [head for head in outputs.values() if head.ndim == 2]
    return -torch.stack([torch.logsumexp(head, dim=1) for head in logits]).sum(dim=0)


class Likelihood:
    """The likelihood's term of the loss, with the buffer of chains."""

    def __init__(self, generator: Generator, seed: int, chains: Chains) -> None:
        self._chains = chains
        self._generator = generator
        self._random = torch.Generator().manual_seed(seed)
        self._z, self._psi = self._draw(chains.buffer)

    def __call__(self, heads: Heads) -> Tensor:
        """Mean energy of draws from the prior minus that of samples of the energy itself.

        Its gradient by the weights is that of minus the mean log-likelihood (LACE eq. 2).
        """
        sampled = self._advance(heads)
        with torch.no_grad():
            drawn = self._styles(*self._draw(self._chains.count))
        return marginal(heads(drawn)).mean() - marginal(heads(sampled)).mean()

    def _advance(self, heads: Heads) -> Tensor:
        """Advance some chains by a few steps and return their truncated styles (n, d)."""
        chains = self._chains
        rows = torch.randperm(chains.buffer, generator=self._random)[: chains.count]
        renewed = torch.rand(len(rows), 1, generator=self._random) < chains.renewed
        fresh, psi = self._draw(len(rows))
        z = torch.where(renewed, fresh, self._z[rows])
        psi = torch.where(renewed, psi, self._psi[rows])
        noise = math.sqrt(2.0 * chains.step)
        for _ in range(chains.steps):
            z.requires_grad_()
            energy = marginal(heads(self._styles(z, psi))).sum()
            (slope,) = torch.autograd.grad(energy, z)
            z = z.detach() - chains.step * (slope + z.detach()) + noise * self._normal(len(z))
        self._z[rows], self._psi[rows] = z, psi
        with torch.no_grad():
            return self._styles(z, psi)

    def _styles(self, z: Tensor, psi: Tensor) -> Tensor:
        return self._generator.truncate(self._generator.mapping(z), psi)

    def _draw(self, count: int) -> tuple[Tensor, Tensor]:
        """Latents of the prior (n, d), and truncations (n, 1)."""
        low, high = TRUNCATIONS
        psi = low + (high - low) * torch.rand(count, 1, generator=self._random)
        return self._normal(count), psi

    def _normal(self, count: int) -> Tensor:
        return torch.randn(count, self._generator.latent_dim, generator=self._random)
