"""What a sampler is given and what it looks like, as types."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias

from torch import Tensor

from lacelang.samplers.solution import Solution

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


Sampler: TypeAlias = Callable[..., Solution]
"""sampler(energy, z0, *, <its own options>, streams=None, on_step=None) -> Solution.

It moves prior draws z0 (N, d) so that they meet the condition. `streams` are the samples' random
streams, which a deterministic sampler ignores.
"""
