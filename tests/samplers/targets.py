"""Energies whose flow and whose posterior are known in closed form, and nets of the real size."""

from __future__ import annotations

import math

import numpy as np
import torch
from attrs import field, frozen
from numpy.typing import NDArray
from torch import Tensor, nn

from lacelang.energy import (
    ConditionalEnergy,
    Discrete,
    Equals,
    Node,
    Outputs,
    conjunction,
    disjunction,
    negation,
)


@frozen(eq=False)
class Quadratic:
    """E = sum of a_i (z_i - m)^2 / 2: the flow is m + (z - m) e^(-a tau).

    With the prior N(0, 1) the posterior of coordinate i is normal with mean a m / (1 + a) and
    variance 1 / (1 + a).
    """

    stiffness: Tensor
    centre: float = 1.0

    def __call__(self, z: Tensor) -> Tensor:
        return (0.5 * self.stiffness * (z - self.centre) ** 2).sum(dim=1)

    def value_and_grad(self, z: Tensor) -> tuple[Tensor, Tensor]:
        return self(z), self.stiffness * (z - self.centre)

    def flow(self, z: Tensor, time: float) -> Tensor:
        return self.centre + (z - self.centre) * torch.exp(-self.stiffness * time)


@frozen(eq=False)
class Ridge:
    """A condition on x = u z, for a unit vector u: everything about its posterior is a quadrature.

    x has the density e^-E(x) phi(x) / Z; what is orthogonal to u keeps the prior.
    """

    node: Node
    dim: int = 6
    grid: NDArray[np.float64] = field(init=False, factory=lambda: np.linspace(-8.0, 8.0, 32_001))

    @property
    def u(self) -> Tensor:
        direction = torch.arange(1.0, self.dim + 1.0)
        return direction / direction.norm()

    def along(self, z: Tensor) -> Tensor:
        return z @ self.u.to(z)

    def features(self, z: Tensor) -> Outputs:
        return heads(self.along(z))

    @property
    def energy(self) -> ConditionalEnergy:
        return ConditionalEnergy(self.features, self.node)

    @property
    def _density(self) -> NDArray[np.float64]:
        e = self.node(heads(torch.from_numpy(self.grid))).numpy()
        return np.asarray(np.exp(-e - 0.5 * self.grid**2) / math.sqrt(2.0 * math.pi))

    @property
    def evidence(self) -> float:
        return float(np.trapezoid(self._density, self.grid))

    def mean(self, function: NDArray[np.float64]) -> float:
        """The posterior mean of a function of x, given on the grid."""
        return float(np.trapezoid(self._density * function, self.grid)) / self.evidence

    def cdf(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        density = self._density
        steps = 0.5 * (density[1:] + density[:-1]) * np.diff(self.grid)
        total = np.concatenate([[0.0], steps.cumsum()])
        return np.interp(x, self.grid, total / total[-1])

    def draw(self, count: int, seed: int) -> Tensor:
        """Exact draws from the posterior: x by its quantiles, the rest from the prior."""
        random = np.random.default_rng(seed)
        total = self.cdf(self.grid)
        rising = np.concatenate([[True], np.diff(total) > 0.0])
        x = np.interp(random.random(count), total[rising], self.grid[rising])
        z = torch.from_numpy(random.standard_normal((count, self.dim)))
        u = self.u.double()
        return (z + (torch.from_numpy(x) - z @ u)[:, None] * u).float()


def heads(x: Tensor) -> Outputs:
    """What is read off x: a value, and the logits of two classes."""
    return {"value": x, "glasses": torch.stack([-1.5 * x + 1.0, 1.5 * x - 1.0], dim=1)}


RIDGES = {
    "linear-Gaussian": Ridge(Equals("value", 1.5, 0.5)),
    "logistic": Ridge(Discrete("glasses", {1})),
    "denied": Ridge(
        conjunction([negation(Equals("value", 0.0, 0.7)), negation(Discrete("glasses", {1}))])
    ),
    "two modes": Ridge(
        disjunction([Equals("value", 1.6, 0.25), Equals("value", -1.6, 0.25)], [3.0, 1.0])
    ),
}


@frozen(eq=False)
class Broken:
    """Another energy that is NaN wherever the first coordinate exceeds `wall`."""

    inner: Quadratic
    wall: float

    def __call__(self, z: Tensor) -> Tensor:
        return torch.where(z[:, 0] > self.wall, math.nan, self.inner(z))

    def value_and_grad(self, z: Tensor) -> tuple[Tensor, Tensor]:
        value, gradient = self.inner.value_and_grad(z)
        lost = z[:, 0] > self.wall
        return torch.where(lost, math.nan, value), torch.where(lost[:, None], math.nan, gradient)


class Counted:
    """An energy that counts the rows it is asked for."""

    def __init__(self, inner: Quadratic) -> None:
        self.inner = inner
        self.rows = 0

    def __call__(self, z: Tensor) -> Tensor:
        self.rows += len(z)
        return self.inner(z)

    def value_and_grad(self, z: Tensor) -> tuple[Tensor, Tensor]:
        self.rows += len(z)
        return self.inner.value_and_grad(z)


class RealSize(nn.Module):
    """A mapping network and heads of the real size with random weights, and stiff."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        random = torch.Generator().manual_seed(seed)

        def layer(inputs: int, outputs: int, gain: float = math.sqrt(2.0 / 1.04)) -> nn.Linear:
            linear = nn.Linear(inputs, outputs)
            nn.init.normal_(linear.weight, std=gain / math.sqrt(inputs), generator=random)
            nn.init.normal_(linear.bias, std=0.1, generator=random)
            return linear

        self.mapping = nn.ModuleList(layer(512, 512) for _ in range(8))
        self.trunk = nn.ModuleList(layer(a, b) for a, b in ((512, 384), (384, 256), (256, 128)))
        self.heads = layer(128, 6, gain=3.0)
        self.requires_grad_(False)

    def forward(self, z: Tensor) -> dict[str, Tensor]:
        x = z * torch.rsqrt(z.square().mean(dim=1, keepdim=True) + 1e-8)
        for linear in (*self.mapping, *self.trunk):
            x = nn.functional.leaky_relu(linear(x), 0.2)
        out = self.heads(x)
        return {"smile": out[:, :2], "glasses": out[:, 2:4], "age": 35 + 15 * out[:, 4]}
