"""Energy-based models of pixels: JEM (Grathwohl et al. 2020) and a conditional EBM.

A network gives f(x) (N, 10), and samples x⁻ are drawn by Langevin dynamics from a replay buffer:

    JEM        p(x) ∝ Σ_k exp f(x)[k]     L = −log softmax f(x)[y] + E(x) − E(x⁻),
                                          E(x) = −logsumexp f(x)
    Cond-EBM   p(x | y) ∝ exp f(x)[y]     L = E(x, y) − E(x⁻, y⁻),   E(x, y) = −f(x)[y]
               (Du and Mordatch 2019)     with E² of both, weighted by α, to keep energies small

Samples of a class are Langevin dynamics on −f(x)[y], for both.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

CLASSES = 10
#: Channels at 16², 8² and 4².
WIDTHS = (32, 64, 96)
#: α of the conditional EBM.
SMALL = 1e-2
#: Langevin dynamics of JEM: x ← x − step/2 ∇E + noise z, not of one temperature.
STEP, NOISE, CHAIN = 2.0, 0.01, 20
#: Share of chains that begin anew, and images in the replay buffer.
ANEW, KEPT = 0.05, 2000

Energy = Callable[[Tensor], Tensor]
"""Energies (N,) of images (N, C, 32, 32)."""


class EnergyNetwork(nn.Module):
    """Images (N, C, 32, 32) in [−1, 1] → f(x) (N, 10); no normalisation, as energies need."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        into = channels
        for width in WIDTHS:
            layers += [nn.Conv2d(into, width, 4, stride=2, padding=1), nn.SiLU()]
            into = width
        self.body = nn.Sequential(*layers, nn.Flatten(), nn.Linear(into * 16, 128), nn.SiLU())
        self.head = nn.Linear(128, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """Return f(x)."""
        found: Tensor = self.head(self.body(x))
        return found


def marginal_energy(f: Tensor) -> Tensor:
    """−logsumexp f(x) (N,): the energy of p(x)."""
    return -torch.logsumexp(f, dim=1)


def joint_energy(f: Tensor, classes: Tensor) -> Tensor:
    """−f(x)[y] (N,): the energy of p(x | y)."""
    return -f.gather(1, classes[:, None])[:, 0]


def jem_loss(real: Tensor, classes: Tensor, fake: Tensor) -> Tensor:
    """−log p(y | x) + E(x) − E(x⁻), of f(x) of real images and f(x⁻) of samples (N, 10)."""
    likelihood = marginal_energy(real).mean() - marginal_energy(fake).mean()
    return F.cross_entropy(real, classes) + likelihood


def conditional_loss(
    real: Tensor, classes: Tensor, fake: Tensor, fake_classes: Tensor, small: float = SMALL
) -> Tensor:
    """E(x, y) − E(x⁻, y⁻) + α (E(x, y)² + E(x⁻, y⁻)²), the mean."""
    low, high = joint_energy(real, classes), joint_energy(fake, fake_classes)
    return (low - high + small * (low.square() + high.square())).mean()


def langevin(
    energy: Energy, x: Tensor, steps: int, step: float = STEP, noise: float = NOISE
) -> Tensor:
    """x ← x − step/2 ∇E(x) + noise z, z ~ N(0, I), within [−1, 1]; by torch's generator."""
    for _ in range(steps):
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            (slope,) = torch.autograd.grad(energy(x).sum(), x)
        x = (x.detach() - 0.5 * step * slope + noise * torch.randn_like(x)).clamp(-1, 1)
    return x


class Replay(nn.Module):
    """Images and classes at which chains ended; a share of new chains begins at uniform noise.

    It is part of what is trained: samples of a class go on from it.
    """

    images: Tensor
    classes: Tensor

    def __init__(self, channels: int, kept: int = KEPT) -> None:
        super().__init__()
        self.register_buffer("images", fresh(kept, channels))
        self.register_buffer("classes", torch.arange(kept) % CLASSES)

    def begin(self, count: int) -> tuple[Tensor, Tensor, Tensor]:
        """Rows (N,), where their chains begin, and their classes."""
        rows = torch.randperm(len(self.images))[:count]
        anew = torch.rand(len(rows), 1, 1, 1) < ANEW
        x = torch.where(anew, fresh(len(rows), self.images.shape[1]), self.images[rows])
        return rows, x, self.classes[rows]

    def end(self, rows: Tensor, x: Tensor, classes: Tensor) -> None:
        """Keep where the chains of rows ended, and of which classes these images are."""
        self.images[rows] = x
        self.classes[rows] = classes

    def of(self, classes: Tensor) -> Tensor:
        """Images of classes (N,), drawn with replacement; of any class if there are none of one."""
        alike = classes[:, None] == self.classes
        alike |= ~alike.any(dim=1, keepdim=True)
        return self.images[torch.multinomial(alike.float(), 1)[:, 0]]


def fresh(count: int, channels: int) -> Tensor:
    """Uniform noise in [−1, 1]."""
    return 2 * torch.rand(count, channels, 32, 32) - 1
