"""Evaluations in blocks of one shape, so that a sample's numbers never depend on its batch.

Matrix kernels choose their order of summation by the shape of the batch. The last bit that this
changes is enough to put a trial point on the other side of a ReLU's kink, where the gradient
jumps, and a sample drawn alone would end a hundredth away from itself drawn among others. Blocks
of one shape, the last filled up with copies, give every row the same bits in any company.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from lacelang.sample.problem import Energy

ROWS = {"cpu": 16}
"""Rows in a block by device: few on a CPU, where a sample alone pays for a whole block."""

OTHER_ROWS = 128

MANY_ROWS = 128
"""Rows in a block where a single sample already asks for many: a third of the time for each."""


class Blocks:
    """An energy that evaluates another one block by block.

    Args:
        energy: the energy itself.
        rows: in a block; None takes what suits the device.
    """

    def __init__(self, energy: Energy, rows: int | None = None) -> None:
        self._energy = energy
        self._rows = rows

    def __call__(self, z: Tensor) -> Tensor:
        """Return the energies (N,), without a graph."""
        with torch.no_grad():
            (energies,) = in_blocks(lambda block: (self._energy(block),), z, self._rows)
        return energies

    def value_and_grad(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Return the energies (N,) and their gradients (N, d)."""
        energies, gradients = in_blocks(self._energy.value_and_grad, z, self._rows)
        return energies, gradients


def in_blocks(
    function: Callable[[Tensor], tuple[Tensor, ...]], z: Tensor, rows: int | None = None
) -> tuple[Tensor, ...]:
    """Apply a function of rows, with some tensors of rows as its results, block by block.

    Args:
        function: called with blocks (rows, d) of one shape; row i of its results is of row i.
        z: (N, d).
        rows: in a block; None takes what suits the device.
    """
    size = ROWS.get(z.device.type, OTHER_ROWS) if rows is None else rows
    parts = []
    # Without rows, one row of zeros tells the shapes of the results.
    blocks = [z[i : i + size] for i in range(0, len(z), size)] or [z.new_zeros(1, z.shape[1])]
    for block in blocks:
        filling = block[:1].expand(size - len(block), -1)
        results = function(torch.cat([block, filling]) if len(block) < size else block)
        parts.append([result[: min(len(block), len(z))] for result in results])
    return tuple(torch.cat(pieces) for pieces in zip(*parts, strict=True))
