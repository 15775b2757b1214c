"""Energies whose gradient flow, and whose posterior under the prior, are known in closed form."""

from __future__ import annotations

import math

import numpy as np
import torch
from attrs import field, frozen
from numpy.typing import NDArray
from torch import Tensor

from lacelang.energy import (
    ConditionalEnergy,
    Node,
    NormalAt,
    Outputs,
    Surprisal,
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

    def __call__(self, z: Tensor, *args: Tensor) -> Tensor:
        """Return the energies (N,)."""
        return (0.5 * self.stiffness * (z - self.centre) ** 2).sum(dim=1)

    def value_and_grad(self, z: Tensor, *args: Tensor) -> tuple[Tensor, Tensor]:
        """Return the energies (N,) and their gradients (N, d)."""
        return self(z), self.stiffness * (z - self.centre)

    def flow(self, z: Tensor, time: float) -> Tensor:
        """Return where the flow is after some time."""
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
        """The direction (d,) that the condition is on."""
        direction = torch.arange(1.0, self.dim + 1.0)
        u: Tensor = direction / direction.norm()
        return u

    def along(self, z: Tensor) -> Tensor:
        """Return x = u z (N,)."""
        return z @ self.u.to(z)

    def features(self, z: Tensor) -> Outputs:
        """Return head outputs of latents (N, d)."""
        return heads(self.along(z))

    @property
    def energy(self) -> ConditionalEnergy:
        """The condition as an energy on latents."""
        return ConditionalEnergy(self.features, self.node)

    @property
    def _density(self) -> NDArray[np.float64]:
        e = self.node(heads(torch.from_numpy(self.grid))).numpy()
        return np.asarray(np.exp(-e - 0.5 * self.grid**2) / math.sqrt(2.0 * math.pi))

    @property
    def evidence(self) -> float:
        """Z, how probable the condition is under the prior."""
        return float(np.trapezoid(self._density, self.grid))

    def mean(self, function: NDArray[np.float64]) -> float:
        """The posterior mean of a function of x, given on the grid."""
        return float(np.trapezoid(self._density * function, self.grid)) / self.evidence

    def cdf(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the posterior probability of less than each x."""
        density = self._density
        steps = 0.5 * (density[1:] + density[:-1]) * np.diff(self.grid)
        total = np.concatenate([[0.0], steps.cumsum()])
        return np.asarray(np.interp(x, self.grid, total / total[-1]))


def heads(x: Tensor) -> Outputs:
    """What is read off x: a value, and the logits of two classes."""
    return {"value": x, "glasses": torch.stack([-1.5 * x + 1.0, 1.5 * x - 1.0], dim=1)}


RIDGES = {
    "linear-Gaussian": Ridge(NormalAt("value", 1.5, 0.5)),
    "logistic": Ridge(Surprisal("glasses", {1})),
    "denied": Ridge(
        conjunction([negation(NormalAt("value", 0.0, 0.7)), negation(Surprisal("glasses", {1}))])
    ),
    "two modes": Ridge(
        disjunction([NormalAt("value", 1.6, 0.25), NormalAt("value", -1.6, 0.25)], [3.0, 1.0])
    ),
}
