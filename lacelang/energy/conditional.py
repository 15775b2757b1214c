"""The conditional energy of a latent: one pass of the features for all terms and the gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import torch
from attrs import frozen
from numpy.typing import NDArray
from torch import Tensor

from lacelang.arguments import shown
from lacelang.energy.comparisons import NormalBelow
from lacelang.energy.logic import conjunction
from lacelang.energy.node import ATYPICALITY, Node, Outputs
from lacelang.energy.reduced import Reduced, reduce
from lacelang.errors import UsageError
from lacelang.rows import in_blocks
from lacelang.system.torch_state import exact, isolated, one_thread, plain

Features: TypeAlias = Callable[..., Outputs]
"""Latents z (N, d) and arguments (N, ...) -> outputs; row i depends on row i of each alone."""

TYPICAL_SIGMA = 0.05
"""How soft a bound on atypicality is."""


def bounded(node: Node, typical: float) -> Node:
    """Return a condition that also holds the atypicality of its latents at `typical` or below.

    Within the bound it does next to nothing.
    """
    return conjunction([node, NormalBelow(ATYPICALITY, typical, TYPICAL_SIGMA)])


@frozen
class ConditionalEnergy:
    """E(c | z) = node(features(z, *args)), in nats, without the prior (LACE eq. 5).

    The arguments are what differs from sample to sample besides the latent, such as the past of an
    edit; most energies have none. There is no gradient by them.

    Attributes:
        features: everything from the latent up to the classifiers' outputs.
        node: the condition.
        dim: d, where it is known.
    """

    features: Features
    node: Node
    dim: int | None = None

    def __call__(self, z: Tensor, *args: Tensor) -> Tensor:
        """Return the energies (N,) of latents (N, d), differentiable in z as often as wanted.

        It is a pure function, for `torch.func` too: `vmap(grad(lambda z: energy(z[None])[0]))`.
        Except under a transform or a compiler, a row has the same bits whatever rows are beside it.

        Args:
            z: a tensor on any device, or a numpy array, of any floating-point type; narrower ones
                are computed in float32.
            args: what else the features take, (N, ...) each.

        Raises:
            UsageError: the latents have another shape, or are no floating-point numbers.
        """
        z = self._latents(z)
        if _is_traced(z):
            return self._energy(z, *args)
        with exact(), one_thread():
            (energies,) = in_blocks(lambda *block: (self._energy(*block),), z, *args)
        return energies

    def value_and_grad(self, z: Tensor, *args: Tensor) -> tuple[Tensor, Tensor]:
        """Return energies (N,) and their gradients (N, d), detached, in one features pass.

        Gradients have the type of the latents; see `__call__`.
        """
        latents = self._latents(z)
        given = z.dtype if isinstance(z, Tensor) else latents.dtype
        if _is_traced(latents):
            energies, gradients = self._value_and_grad(latents, *args)
        else:
            with isolated():
                energies, gradients = in_blocks(self._value_and_grad, plain(latents), *args)
        return energies, gradients.to(given)

    def __deepcopy__(self, memo: object) -> ConditionalEnergy:
        """Itself: it is immutable, and holds a model that need not be copied."""
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle without the weights: features of a model load it again where they are needed."""
        if "<" in getattr(self.features, "__qualname__", ""):
            raise TypeError(
                "the features of this energy are a function made inside another one, which is not "
                "pickled: define it at the top of a module"
            )
        return type(self), (self.features, self.node, self.dim)

    def _latents(self, z: Tensor | NDArray[Any]) -> Tensor:
        """Latents as they are computed with: float32, and float64 where they are."""
        shape = f"(N, {'d' if self.dim is None else self.dim})"
        if not isinstance(z, Tensor | np.ndarray):
            raise UsageError(f"`z` is a tensor {shape}, not {shown(z)}")
        floats = z.is_floating_point() if isinstance(z, Tensor) else z.dtype.kind == "f"
        if not floats:
            raise UsageError(f"`z` holds floating-point numbers {shape}, not {z.dtype}")
        if isinstance(z, np.ndarray):
            # A copy: torch takes no array that is read-only, reversed, or of foreign byte order.
            z = torch.from_numpy(z.astype(np.float64 if z.itemsize >= 8 else np.float32, "C"))
        if z.layout != torch.strided or z.is_meta:
            kind = "without numbers" if z.is_meta else f"of layout {z.layout}"
            raise UsageError(f"`z` is a dense tensor {shape}, not one {kind}")
        if z.ndim != 2 or self.dim not in (None, z.shape[1]):
            raise UsageError(f"`z` has the shape {shape}, not {tuple(z.shape)}")
        return z if z.dtype in (torch.float32, torch.float64) else z.float()

    def _energy(self, z: Tensor, *args: Tensor) -> Tensor:
        energy = self.node(self.features(z, *args))
        if z.requires_grad and not energy.requires_grad and torch.is_grad_enabled():
            # A condition whose weights are all 0 reads no latent, and has a gradient all the same.
            energy = energy + 0.0 * z.sum(dim=1)
        return energy

    def _value_and_grad(self, z: Tensor, *args: Tensor) -> tuple[Tensor, Tensor]:
        with torch.enable_grad():
            z = z.detach().requires_grad_()
            energy = self._energy(z, *args)
            # The rows are independent, so the gradient of the sum holds every row's own.
            (gradient,) = torch.autograd.grad(energy.sum(), z)
        return energy.detach(), gradient

    def reduced(self, z: Tensor, *args: Tensor) -> Reduced:
        """Return the same energy as a function of the few numbers it reads (`reduce`)."""
        return reduce(self.features, self.node, z, *args)

    def prior(self, z: Tensor) -> Tensor:
        """Return ||z||^2 / 2 (N,): -log of the prior N(0, I) up to its constant."""
        return 0.5 * self._latents(z).square().sum(dim=1)


def _is_traced(z: Tensor) -> bool:
    """Whether a transform of `torch.func` or a compiler records what is done with latents."""
    compiling = torch.compiler.is_compiling()
    return compiling or bool(torch._C._functorch.is_functorch_wrapped_tensor(z))
