"""Evaluations in blocks of one shape, so that a sample's numbers never depend on its batch.

Matrix kernels choose their order of summation by the shape of the batch. The last bit that this
changes is enough to put a trial point on the other side of a ReLU's kink, where the gradient
jumps, and a sample drawn alone would end a hundredth away from itself drawn among others. Blocks
of one shape, the last filled up with copies, give every row the same bits in any company.
"""

from __future__ import annotations

import torch
from torch import Tensor

from lacelang.sample.problem import Energy

ROWS = {"cpu": 16}
"""Rows in a block by device: few on a CPU, where a sample alone pays for a whole block."""

OTHER_ROWS = 128


class Blocks:
    """An energy that evaluates another one block by block.

    Args:
        energy: the energy itself.
    """

    def __init__(self, energy: Energy) -> None:
        self._energy = energy

    def __call__(self, z: Tensor) -> Tensor:
        """Return the energies (N,), without a graph."""
        with torch.no_grad():
            energies = [self._energy(block)[:count] for block, count in _blocks(z)]
        return torch.cat([z.new_empty(0), *energies])

    def value_and_grad(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Return the energies (N,) and their gradients (N, d)."""
        energies, gradients = [z.new_empty(0)], [z[:0]]
        for block, count in _blocks(z):
            energy, gradient = self._energy.value_and_grad(block)
            energies.append(energy[:count])
            gradients.append(gradient[:count])
        return torch.cat(energies), torch.cat(gradients)


def _blocks(z: Tensor) -> list[tuple[Tensor, int]]:
    size = ROWS.get(z.device.type, OTHER_ROWS)
    blocks = []
    for start in range(0, len(z), size):
        rows = z[start : start + size]
        count = len(rows)
        filling = rows[:1].expand(size - count, -1)
        blocks.append((torch.cat([rows, filling]) if count < size else rows, count))
    return blocks
