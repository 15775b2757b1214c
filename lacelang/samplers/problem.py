"""What a sampler is given: a target and its energies, and points at which they are known."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol, TypeAlias

import torch
from attrs import frozen
from torch import Tensor

OnStep: TypeAlias = Callable[[float], None]
"""Called after every step with the share of the work done, in 0..1. It may raise, to interrupt."""


class Energy(Protocol):
    """A conditional energy on latents z (N, d), in nats; row i depends on row i alone.

    `args`, (N, ...) each, are what else it depends on; most energies have none.
    """

    def __call__(self, z: Tensor, *args: Tensor) -> Tensor:
        """Return the energies (N,)."""
        ...

    def value_and_grad(self, z: Tensor, *args: Tensor) -> tuple[Tensor, Tensor]:
        """Return the energies (N,) and their gradients (N, d), detached."""
        ...


@frozen(eq=False)
class Target:
    """A condition, and the same with a regulariser.

    Attributes:
        condition: -log of the probability that a latent meets it, prior excluded; for samplers
            whose moves include the prior.
        regularised: the condition and what keeps latents where draws of the prior lie; for gradient
            flows, which have no prior.
        args: what differs from sample to sample, such as the past of an edit: arguments (N, ...) of
            both energies.
    """

    condition: Energy
    regularised: Energy
    args: tuple[Tensor, ...] = ()

    @classmethod
    def of(cls, energy: Energy, args: tuple[Tensor, ...] = ()) -> Target:
        """Return the target of an energy without a regulariser."""
        return cls(energy, energy, args)


class Point(NamedTuple):
    """Latents z (n, d) that have been evaluated: energies (n,) and gradients (n, d)."""

    z: Tensor
    energy: Tensor
    gradient: Tensor

    @property
    def finite(self) -> Tensor:
        """Whether energy and gradient (n,) are finite."""
        return self.energy.isfinite() & self.gradient.isfinite().all(dim=1)

    def only(self, rows: Tensor) -> Point:
        """The points at some rows, by their numbers or by a mask."""
        return Point(*(each[rows] for each in self))

    def where(self, moved: Tensor, other: Point) -> Point:
        """`other` in the rows where `moved` (n,) is true, these ones elsewhere."""
        wide = moved[:, None]
        return Point(
            torch.where(wide, other.z, self.z),
            torch.where(moved, other.energy, self.energy),
            torch.where(wide, other.gradient, self.gradient),
        )
