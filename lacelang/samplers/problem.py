"""What a sampler is given: a target, and whom to tell how far it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias

from attrs import frozen
from torch import Tensor

OnStep: TypeAlias = Callable[[float], None]
"""Called after every step with the share of the work done, in 0..1. It may raise, to interrupt."""


class Energy(Protocol):
    """A conditional energy on latents z (N, d), in nats; row i depends on latent i alone."""

    def __call__(self, z: Tensor) -> Tensor:
        """Return the energies (N,)."""
        ...

    def value_and_grad(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Return the energies (N,) and their gradients (N, d), detached."""
        ...


@frozen
class Target:
    """A condition, and the same with a regulariser.

    Attributes:
        condition: -log of how probable it is that a latent meets it, prior excluded; what a
            sampler whose moves include the prior is to sample.
        regularised: what a gradient flow descends, which has no prior: the condition, and what
            keeps latents where draws of the prior lie.
    """

    condition: Energy
    regularised: Energy

    @classmethod
    def of(cls, energy: Energy) -> Target:
        """Return the target of an energy without a regulariser."""
        return cls(energy, energy)
