"""Energies and pull-backs in blocks of rows, so that a sample does not depend on its batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor

from lacelang.rows import blocks_of, filled, in_blocks
from lacelang.samplers.problem import Energy

VJP: TypeAlias = Callable[..., tuple[Tensor, Callable[[Tensor], Tensor]]]

MANY_ROWS = 128
"""Rows that are evaluated together where a single sample already asks for many."""


class Blocks:
    """An energy that evaluates another one block by block (`in_blocks`)."""

    def __init__(self, energy: Energy) -> None:
        self._energy = energy

    def __call__(self, z: Tensor, *args: Tensor) -> Tensor:
        """Return the energies (N,), without a graph."""
        with torch.no_grad():
            (energies,) = in_blocks(lambda *block: (self._energy(*block),), z, *args)
        return energies

    def value_and_grad(self, z: Tensor, *args: Tensor) -> tuple[Tensor, Tensor]:
        """Return the energies (N,) and their gradients (N, d)."""
        energies, gradients = in_blocks(self._energy.value_and_grad, z, *args)
        return energies, gradients


def vjp_in_blocks(vjp: VJP, *rows: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
    """Apply a function that returns results (n, k) and their pull-back (n, k) -> (n, d) to blocks.

    Returns the same two for all N of `rows`.
    """
    blocks = [(vjp(*block), count) for block, count in blocks_of(*rows)]
    counts = [count for _, count in blocks]

    def pull(v: Tensor) -> Tensor:
        parts = zip(blocks, torch.split(v, counts), strict=True)
        return torch.cat([back(filled(part, len(o)))[:n] for ((o, back), n), part in parts])

    return torch.cat([o[:count] for (o, _), count in blocks]), pull
