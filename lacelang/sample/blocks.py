"""Evaluations in blocks, so that a sample's numbers never depend on its batch.

Matrix kernels choose their order of summation by the shape of the batch. The last bit that this
changes is enough to put a trial point on the other side of a ReLU's kink, where the gradient
jumps, and a sample drawn alone would end a hundredth away from itself drawn among others. Blocks
filled up with copies give every row the same bits in any company.

Most kernels sum a row in one order whatever the number of rows, as long as that is a multiple of
their tile. Where a trial shows that they do (`_steady`), a block is filled up to the next multiple
of `TILE`; elsewhere all blocks have one shape.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import TypeAlias

import torch
from torch import Tensor
from torch.nn import functional as F

from lacelang.sample.problem import Energy

VJP: TypeAlias = Callable[[Tensor], tuple[Tensor, Callable[[Tensor], Tensor]]]

TILE = 16
"""Rows that a block is filled up to a multiple of."""

STEADY_ROWS = 64
"""Rows in a block at most, where a row's bits do not depend on how many there are."""

ROWS = {"cpu": 32}
"""Rows in a block by device where they do: few on a CPU, where one sample pays for a whole block.

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
    steady = z.device.type == "cpu" and _steady(z.dtype, torch.get_num_threads())
    size = rows or (STEADY_ROWS if steady else ROWS.get(z.device.type, OTHER_ROWS))
    tile = TILE if steady else size
    if not len(z):
        # One row of zeros tells the shapes of the results.
        yield z.new_zeros(tile, z.shape[1]), 0
    for start in range(0, len(z), size):
        block = z[start : start + size]
        yield _filled(block, -(-len(block) // tile) * tile), len(block)


def _filled(block: Tensor, size: int) -> Tensor:
    """A block and, up to `size` rows, copies of its first row."""
    missing = size - len(block)
    return torch.cat([block, block[:1].expand(missing, -1)]) if missing else block


@cache
def _steady(dtype: torch.dtype, threads: int) -> bool:
    """Whether, on this processor, a row of a product has the same bits in any multiple of `TILE`.

    Tried once for a number of threads, on the products of a layer's forward and backward pass and
    on functions of single numbers, whose loops end otherwise than they go on.
    """
    random = torch.Generator().manual_seed(0)

    def draw(*shape: int) -> Tensor:
        return torch.randn(shape, generator=random, dtype=dtype)

    trials: list[tuple[Tensor, Callable[[Tensor], Tensor]]] = [
        (draw(MANY_ROWS), function)
        for function in (F.softplus, torch.sigmoid, torch.exp, torch.special.erfc)
    ]
    for into, out in ((512, 512), (512, 384), (256, 128), (128, 24)):
        weight = draw(out, into)
        trials.append((draw(MANY_ROWS, into), partial(F.linear, weight=weight)))
        trials.append((draw(MANY_ROWS, out), partial(torch.matmul, other=weight)))
    with torch.no_grad():
        return all(
            torch.equal(function(x[-rows:]), function(x)[-rows:])
            for x, function in trials
            for rows in range(TILE, MANY_ROWS, TILE)
        )
