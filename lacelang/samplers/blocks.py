"""Energies and pull-backs in blocks of rows, so that a sample does not depend on its batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor

from lacelang.rows import blocks_of, filled, in_blocks
from lacelang.samplers.problem import Energy

VJP: TypeAlias = Callable[[Tensor], tuple[Tensor, Callable[[Tensor], Tensor]]]

MANY_ROWS = 128
"""Rows that are evaluated together where a single sample already asks for many."""


class Blocks:
    """An energy that evaluates another one block by block (`in_blocks`)."""

    def __init__(self, energy: Energy) -> None:
        self._energy = energy

    def __call__(self, z: Tensor) -> Tensor:
        """Return the energies (N,), without a graph."""
        with torch.no_grad():
            (energies,) = in_blocks(lambda block: (self._energy(block),), z)
        return energies

    def value_and_grad(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Return the energies (N,) and their gradients (N, d)."""
        energies, gradients = in_blocks(self._energy.value_and_grad, z)
        return energies, gradients


def vjp_in_blocks(vjp: VJP, z: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
    """Apply a function that returns its results and their pull-back, block by block.

    Args:
        vjp: of latents (rows, d); returns rows (rows, k) and the function that takes (rows, k)
            back to (rows, d).
        z: (N, d).

    Returns:
        The same two for all N rows.
    """
    blocks = list(blocks_of(z))
    counts = [count for _, count in blocks]
    results = [vjp(block) for (block,), _ in blocks]

    def pull(v: Tensor) -> Tensor:
        pieces = zip(results, counts, torch.split(v, counts), strict=True)
        return torch.cat([back(filled(part, len(o)))[:count] for (o, back), count, part in pieces])

    return torch.cat([o[:count] for (o, _), count in zip(results, counts, strict=True)]), pull
