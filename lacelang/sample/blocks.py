"""Evaluations in blocks of one shape, so that a sample's numbers never depend on its batch.

Matrix kernels choose their order of summation by the shape of the batch. The last bit that this
changes is enough to put a trial point on the other side of a ReLU's kink, where the gradient
jumps, and a sample drawn alone would end a hundredth away from itself drawn among others. Blocks
of one shape, the last filled up with copies, give every row the same bits in any company.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

import torch
from torch import Tensor

from lacelang.sample.problem import Energy

VJP: TypeAlias = Callable[[Tensor], tuple[Tensor, Callable[[Tensor], Tensor]]]

ROWS = {"cpu": 32}
"""Rows in a block by device: few on a CPU, where a sample alone pays for a whole block.

Half as many take 1.7 times as long per row, twice as many four fifths of it.
"""

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
    parts = [[result[:count] for result in function(block)] for block, count in _blocks(z, rows)]
    return tuple(torch.cat(pieces) for pieces in zip(*parts, strict=True))


def vjp_in_blocks(vjp: VJP, z: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
    """Apply a function that returns its results and their pull-back, block by block.

    Args:
        vjp: of latents (rows, d), all blocks of one shape; returns rows (rows, k) and the function
            that takes (rows, k) back to (rows, d).
        z: (N, d).

    Returns:
        The same two for all N rows.
    """
    blocks = list(_blocks(z, None))
    counts = [count for _, count in blocks]
    results = [vjp(block) for block, _ in blocks]

    def pull(v: Tensor) -> Tensor:
        pieces = zip(results, counts, torch.split(v, counts), strict=True)
        return torch.cat([back(_filled(part, len(o)))[:count] for (o, back), count, part in pieces])

    return torch.cat([o[:count] for (o, _), count in zip(results, counts, strict=True)]), pull


def _blocks(z: Tensor, rows: int | None) -> Iterator[tuple[Tensor, int]]:
    """Blocks of rows, filled up, and how many of each are z's own."""
    size = ROWS.get(z.device.type, OTHER_ROWS) if rows is None else rows
    if not len(z):
        # One row of zeros tells the shapes of the results.
        yield z.new_zeros(size, z.shape[1]), 0
    for start in range(0, len(z), size):
        block = z[start : start + size]
        yield _filled(block, size), len(block)


def _filled(block: Tensor, size: int) -> Tensor:
    """A block and, up to `size` rows, copies of its first row."""
    missing = size - len(block)
    return torch.cat([block, block[:1].expand(missing, -1)]) if missing else block
