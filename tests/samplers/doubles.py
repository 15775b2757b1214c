"""Energies that fail or count, and networks of the real size."""

from __future__ import annotations

import math

import torch
from attrs import frozen
from torch import Tensor, nn

from lacelang.testing.targets import Quadratic


@frozen(eq=False)
class Broken:
    """Another energy that is NaN wherever the first coordinate exceeds `wall`."""

    inner: Quadratic
    wall: float

    def __call__(self, z: Tensor, *args: Tensor) -> Tensor:
        return torch.where(z[:, 0] > self.wall, math.nan, self.inner(z))

    def value_and_grad(self, z: Tensor, *args: Tensor) -> tuple[Tensor, Tensor]:
        value, gradient = self.inner.value_and_grad(z)
        lost = z[:, 0] > self.wall
        return torch.where(lost, math.nan, value), torch.where(lost[:, None], math.nan, gradient)


class Counted:
    """An energy that counts the rows it is asked for."""

    def __init__(self, inner: Quadratic) -> None:
        self.inner = inner
        self.rows = 0

    def __call__(self, z: Tensor, *args: Tensor) -> Tensor:
        self.rows += len(z)
        return self.inner(z)

    def value_and_grad(self, z: Tensor, *args: Tensor) -> tuple[Tensor, Tensor]:
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
