"""Diffusions dx = f x dt + g dw of images, and their reversal with guidance (Song et al. 2021).

Both have x(t) = a(t) x(0) + s(t) ε with ε ~ N(0, I), and are learned by predicting ε:

    VP    a = exp −½ ∫₀ᵗ β,  s² = 1 − a²,        β(t) = 0.1 + 19.9 t
    VE    a = 1,             s = 0.01 · 3000^t

∇ log p(x) = −ε / s. Under a class y a classifier of noisy images adds w ∇ log p(y | x).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Protocol

import torch
from attrs import frozen
from torch import Tensor

#: Where time ends, counted from noise at 1: at 0 the score is not finite.
EARLIEST = 1e-2
Noise = Callable[[Tensor, Tensor], Tensor]
"""ε (N, C, H, W) of noisy images (N, C, H, W) at times (N,)."""


class Diffusion(Protocol):
    """A diffusion of images."""

    def scale(self, t: Tensor) -> Tensor:
        """a(t), of the shape of t."""

    def deviation(self, t: Tensor) -> Tensor:
        """s(t), of the shape of t."""


@frozen
class VP:
    """The variance-preserving diffusion."""

    first: float = 0.1
    last: float = 20.0

    def scale(self, t: Tensor) -> Tensor:
        """exp −½ ∫₀ᵗ β."""
        return torch.exp(-0.5 * self._integral(t))

    def deviation(self, t: Tensor) -> Tensor:
        """√(1 − a²)."""
        return torch.sqrt(-torch.expm1(-self._integral(t)))

    def _integral(self, t: Tensor) -> Tensor:
        return self.first * t + 0.5 * (self.last - self.first) * t**2


@frozen
class VE:
    """The variance-exploding diffusion."""

    least: float = 0.01
    most: float = 30.0

    def scale(self, t: Tensor) -> Tensor:
        """1."""
        return torch.ones_like(t)

    def deviation(self, t: Tensor) -> Tensor:
        """σ_min (σ_max / σ_min)^t."""
        return self.least * (self.most / self.least) ** t


def column(values: Tensor) -> Tensor:
    """(N,) as (N, 1, 1, 1)."""
    return values[:, None, None, None]


def noisy(diffusion: Diffusion, x: Tensor, t: Tensor, noise: Tensor) -> Tensor:
    """x(t) of images x(0) (N, C, H, W) at times t (N,)."""
    return column(diffusion.scale(t)) * x + column(diffusion.deviation(t)) * noise


def draw_times(count: int) -> Tensor:
    """Times (N,), uniform and stratified over the batch."""
    at = (torch.rand(()) + torch.arange(count) / count) % 1.0
    return EARLIEST + (1 - EARLIEST) * at


def denoising_loss(
    diffusion: Diffusion, network: Noise, x: Tensor, t: Tensor, noise: Tensor
) -> Tensor:
    """E ‖ε − ε_θ(x(t), t)‖² / pixel: score matching with weight s², the mean over images."""
    return (network(noisy(diffusion, x, t, noise), t) - noise).square().mean()


Gradient = Callable[[Tensor, Tensor], Tensor]
"""∇ log p(y | x) (N, C, H, W) of noisy images at times (N,)."""


def guided(diffusion: Diffusion, network: Noise, gradient: Gradient, weight: float = 1.0) -> Noise:
    """ε of the score ∇ log p(x) + w ∇ log p(y | x)."""

    def noise(x: Tensor, t: Tensor) -> Tensor:
        return network(x, t) - weight * column(diffusion.deviation(t)) * gradient(x, t)

    return noise


def initial(diffusion: Diffusion, shape: tuple[int, ...], random: torch.Generator) -> Tensor:
    """Noise at t = 1."""
    return torch.randn(shape, generator=random) * diffusion.deviation(torch.ones(()))


def times(steps: int) -> Tensor:
    """From 1 down to the earliest time, `steps` + 1 of them."""
    return torch.linspace(1.0, EARLIEST, steps + 1)


def predictor_corrector(
    diffusion: Diffusion,
    network: Noise,
    x: Tensor,
    steps: int,
    random: torch.Generator,
    corrections: int = 1,
    snr: float = 0.16,
) -> Tensor:
    """Reverse the diffusion from noise x at t = 1 (Song et al. 2021, algorithms 2 and 3).

    From one time to the next, noise of variance q = s(t)² − r² s(before)² is added to r x, with r
    the ratio of their scales. The predictor is x ← (x + q score) / r + √q z; the corrector makes
    Langevin steps of size 2 r² (snr ‖z‖ / ‖score‖)². Returns the estimate of x(0).
    """

    def draw() -> Tensor:
        return torch.randn(x.shape, generator=random)

    points = times(steps)
    for t, before in pairwise(points):
        at, later = t.expand(len(x)), before.expand(len(x))
        ratio = diffusion.scale(t) / diffusion.scale(before)
        added = diffusion.deviation(t) ** 2 - (ratio * diffusion.deviation(before)) ** 2
        score = -network(x, at) / diffusion.deviation(t)
        x = (x + added * score) / ratio + added.sqrt() * draw()
        for _ in range(corrections):
            score, noise = -network(x, later) / diffusion.deviation(before), draw()
            size = snr * noise.flatten(1).norm(dim=1).mean() / score.flatten(1).norm(dim=1).mean()
            size = 2 * ratio**2 * size**2
            x = x + size * score + torch.sqrt(2 * size) * noise
    end = points[-1]
    noise = network(x, end.expand(len(x)))
    return ((x - diffusion.deviation(end) * noise) / diffusion.scale(end)).clamp(-1, 1)


def fourier(t: Tensor, size: int) -> Tensor:
    """Features (N, size) of times (N,): sines and cosines of geometric frequencies."""
    frequencies = torch.exp(torch.linspace(0.0, math.log(1000.0), size // 2))
    angles = t[:, None] * frequencies
    return torch.cat([angles.sin(), angles.cos()], dim=1)
