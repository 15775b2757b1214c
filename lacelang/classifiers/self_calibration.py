"""Self-calibration: classifiers whose logits must agree with the known score of the prior.

A classifier is read as a joint energy. With logits f(x, y), log p(x, y) = h(x, y) + const with

    h(x, y) = f(x, y) - ||x||^2 / 2v

and the score of its marginal, the gradient of logsumexp_y h(x, y), should be that of the prior.
The term of the loss is the error of this score. It needs latents without labels, of which a
generator has any number. (Huang, Chen and Lin, "Score-based conditional generation with fewer
labeled data by self-calibrating classifier guidance", 2023. There the score is a network's.)

- In z the prior is N(0, I) and its score exactly -z: v = 1, and the error is the squared gradient
  of logsumexp_y f.
- In w the density is not known. In whitened coordinates u it is near a normal one. Denoising score
  matching (Vincent 2011) needs only draws: of u + s e the score must point to -e / s on average.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from attrs import frozen
from torch import Tensor

from lacelang.classifiers.classifier import Heads
from lacelang.classifiers.draws import TRUNCATIONS
from lacelang.classifiers.training import Term
from lacelang.generators.generator import Generator

#: Weight of the term, summed over the dimensions and the attributes.
WEIGHT = 0.01
#: Standard deviation of the noise on whitened w, in those of w.
NOISE = 0.5
_BATCH = 64
_POOL = 8192


@frozen(eq=False)
class Coordinates:
    """Where the score is known or matched.

    Attributes:
        pool: latents (P, d) drawn from the prior, without labels.
        variance: v, of noisy latents per dimension.
        place: latents (N, d) → what the classifiers read.
        noise: s; with 0 the score is exact, -x / v.
    """

    pool: Tensor
    variance: float
    place: Callable[[Tensor], Tensor]
    noise: float = 0.0


def in_z(dim: int, seed: int) -> Coordinates:
    """Latents z of classifiers that read z."""
    random = torch.Generator().manual_seed(seed)
    return Coordinates(torch.randn(_POOL, dim, generator=random), 1.0, lambda z: z)


def in_w(
    generator: Generator,
    seed: int,
    noise: float = NOISE,
    truncations: tuple[float, float] = TRUNCATIONS,
) -> Coordinates:
    """Whitened w, truncated as labelled rows are, of classifiers that read truncated w."""
    random = torch.Generator().manual_seed(seed)
    z = torch.randn(_POOL, generator.latent_dim, generator=random)
    low, high = truncations
    psi = low + (high - low) * torch.rand(_POOL, 1, generator=random)
    with torch.no_grad():
        u = psi * generator.whiten(generator.mapping(z))
    return Coordinates(u, float(u.square().mean()) + noise**2, generator.colour, noise)


class SelfCalibration:
    """The term of the loss; each call draws other latents."""

    def __init__(self, where: Coordinates, seed: int, weight: float = WEIGHT) -> None:
        self._where = where
        self._weight = weight
        self._random = torch.Generator().manual_seed(seed)

    def __call__(self, heads: Heads) -> Tensor:
        """The mean squared error of the marginal's score, summed over discrete attributes."""
        where, random = self._where, self._random
        rows = torch.randint(len(where.pool), (_BATCH,), generator=random)
        x = where.pool[rows]
        noise = torch.randn(x.shape, generator=random)
        x = x + where.noise * noise
        # A copy for each network: one derivative gives the slopes of all.
        copies = x.expand(heads.weights[0].shape[0], -1, -1).clone().requires_grad_()
        outputs = heads.raw(heads.standardise(where.place(copies)))
        discrete = [a for a in heads.attributes if a.discrete]
        marginals = [outputs[:, :, heads.columns[a.name]].logsumexp(dim=2) for a in discrete]
        total = outputs.new_zeros(())
        # Networks of their own see their own copies; heads of one trunk take turns.
        for part in [marginals] if heads.arrangement == "separate" else [[m] for m in marginals]:
            slope = _slope(sum(m.sum() for m in part), copies)
            wrong = where.noise * (slope - x / where.variance) + noise if where.noise else slope
            total = total + wrong.square().sum(dim=(0, 2)).mean()
        return self._weight * total


def _slope(marginal: Tensor | int, x: Tensor) -> Tensor:
    assert isinstance(marginal, Tensor)
    (slope,) = torch.autograd.grad(marginal, x, create_graph=True)
    return slope


def term(where: Coordinates, seed: int = 0, weight: float = WEIGHT) -> Term:
    """What `training.train` and `cross_validated.train` add to the loss."""
    return SelfCalibration(where, seed, weight)
