"""Functions of rows, evaluated so that the bits of a row depend on that row alone.

A matrix product may take another kernel for a few rows than for many, and an elementwise function
another routine for the last numbers of a tensor than for the rest. Either changes the last bit of a
row with the number of rows around it, and a sampler's path with it.

`in_blocks` therefore evaluates rows in blocks that are filled up to a multiple of `TILE` rows.
Every tensor of such a block is a whole number of the vectors that processors compute with, and no
product has so few rows that it is treated as a special case. `_sizes` tests whether that is enough
on this processor; where it is not, all blocks have one shape, or a single row.

Products with odd widths, such as 5 or 33, round a row by where in memory it begins. `one_by_one`
evaluates a network for which `rounds_by_place` has found that.

Everything that computes on rows goes through `in_blocks`, but for arithmetic on single numbers,
which is exact everywhere, and for reductions and small matrices of one row each, which
tests/samplers/test_row_algebra.py tests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from typing import Any, TypeAlias, overload

import torch
from torch import Tensor
from torch.nn import functional as F

from lacelang.system.torch_state import isolated

Named: TypeAlias = Mapping[str, Tensor]
Network: TypeAlias = Callable[[Tensor], Tensor | Named]
"""Of rows: row i of its result, or of its results by name, is of row i."""

TILE = 32
"""Rows that a block is filled up to a multiple of: two vectors of the widest processors."""

MOST = 64
"""Rows in a block on a CPU: more take as long for each."""

MOST_SMALL = 512
"""Rows in a block on a CPU, where each is a few numbers: calls cost more than the numbers do."""

OTHER_ROWS = 128
"""Rows in every block on other devices."""

_DRAWS = 8


def in_blocks(
    function: Callable[..., tuple[Tensor, ...]], *rows: Tensor, most: int = MOST
) -> tuple[Tensor, ...]:
    """Apply a function of rows (N, ...) block by block; row i of its results is of row i.

    The first of `rows` has a floating-point type. On a CPU a block has up to `most` rows, `MOST` or
    `MOST_SMALL`.
    """
    parts = [
        tuple(result[:count] for result in function(*block))
        for block, count in blocks_of(*rows, most=most)
    ]
    if len(parts) == 1:
        return parts[0]
    return tuple(torch.cat(pieces) for pieces in zip(*parts, strict=True))


def by_rows(function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """`in_blocks` for a function of one tensor with one result."""
    (y,) = in_blocks(lambda block: (function(block),), x)
    return y


def named_in_blocks(function: Callable[..., Named], *rows: Tensor) -> dict[str, Tensor]:
    """`in_blocks` for a function whose results have names, the same for every block."""
    names: list[str] = []

    def values(*block: Tensor) -> tuple[Tensor, ...]:
        results = function(*block)
        names[:] = results
        return tuple(results.values())

    found = in_blocks(values, *rows)
    return dict(zip(names, found, strict=True))


def blocks_of(*rows: Tensor, most: int = MOST) -> Iterator[tuple[tuple[Tensor, ...], int]]:
    """Yield blocks of rows (N, ...), filled up, and how many rows of each are not filling."""
    first = rows[0]
    if first.device.type == "cpu":
        tile, largest = _sizes(first.dtype, torch.get_num_threads())
        most = most if largest == MOST else largest
    else:
        tile, most = OTHER_ROWS, OTHER_ROWS
    if not len(first):
        # One block of zeros tells the shapes of the results.
        yield tuple(x.new_zeros(tile, *x.shape[1:]) for x in rows), 0
    for start in range(0, len(first), most):
        parts = [x[start : start + most] for x in rows]
        count = len(parts[0])
        size = -(-count // tile) * tile
        yield tuple(filled(part, size) for part in parts), count


def filled(block: Tensor, size: int) -> Tensor:
    """A block and, up to `size` rows, copies of its first row, through which no gradient flows."""
    if len(block) == size:
        return block
    return torch.cat([block, block[:1].detach().expand(size - len(block), *block.shape[1:])])


def rounds_by_place(function: Network, like: Tensor) -> bool:
    """Whether the bits of a row, or of its gradient, depend on where in a block it stands.

    It is tested with rows of the width, type and device of `like`.
    """
    random = torch.Generator().manual_seed(0)
    with isolated(threads=False), torch.enable_grad():
        rows = torch.randn(TILE, like.shape[-1], generator=random, dtype=like.dtype).to(like.device)

        def results(x: Tensor) -> Tensor:
            x = x.clone().requires_grad_()
            y = function(x)
            values = [y] if isinstance(y, Tensor) else list(y.values())
            flat = torch.cat([value.reshape(len(x), -1) for value in values], dim=1)
            if not flat.requires_grad:  # no gradient flows through it
                return flat
            (slopes,) = torch.autograd.grad(flat.square().sum(), x)
            return torch.cat([flat.detach(), slopes], dim=1)

        return not _same_in_any_order(results, rows)


def on_device(function: Network, device: torch.device, x: Tensor) -> Tensor | Named:
    """Apply a function of rows (N, d) on another device, in blocks of one shape; take it back."""
    size = OTHER_ROWS if 0 < len(x) < OTHER_ROWS else len(x)
    found = function(filled(x, size).to(device))
    if isinstance(found, Tensor):
        return found[: len(x)].to(x.device)
    return {name: y[: len(x)].to(x.device) for name, y in found.items()}


@overload
def one_by_one(function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor: ...
@overload
def one_by_one(function: Callable[[Tensor], Named], x: Tensor) -> Named: ...
def one_by_one(function: Network, x: Tensor) -> Tensor | Named:
    """Apply a function to each of one or more rows alone."""
    # A product by 1 is a tensor of its own, which begins where a vector does; so is its gradient.
    found: list[Any] = [function(row * 1.0) for row in torch.split(x, 1)]
    if isinstance(found[0], Tensor):
        return torch.cat([y * 1.0 for y in found])
    return {name: torch.cat([y[name] * 1.0 for y in found]) for name in found[0]}


@cache
def _sizes(dtype: torch.dtype, threads: int) -> tuple[int, int]:
    """What the rows of a block are a multiple of, and how many there are at most.

    Tested on a layer's products, on reductions, and on functions of single numbers.
    """
    with isolated(threads=False), torch.no_grad():
        trials = list(_trials(dtype))
        if all(_same_in_parts(function, x) for function, x in trials):
            return TILE, MOST
        if all(_same_in_any_order(function, x) for function, x in trials):
            return TILE, TILE
    return 1, 1


def _trials(dtype: torch.dtype) -> Iterator[tuple[Callable[[Tensor], Tensor], Tensor]]:
    """Functions of rows, and rows (N, ...) to test them on."""
    random = torch.Generator().manual_seed(0)

    def draw(*shape: int) -> Tensor:
        return torch.randn(shape, generator=random, dtype=dtype)

    single: list[Callable[[Tensor], Tensor]] = [
        F.softplus, torch.sigmoid, torch.exp, torch.expm1, torch.tanh, torch.special.erfc,
        lambda x: x**6, lambda x: x.abs().log1p(), lambda x: (x.square() + 0.1).rsqrt(),
    ]  # fmt: skip
    for function in single:
        for _ in range(_DRAWS):
            yield function, draw(MOST)
            yield function, draw(MOST, 3)
        yield function, draw(MOST_SMALL)
        yield function, draw(MOST_SMALL, 3)
    for into, out in ((512, 512), (512, 384), (256, 128), (128, 24)):
        weight = draw(out, into)
        yield partial(F.linear, weight=weight), draw(MOST, into)
        yield partial(torch.matmul, other=weight), draw(MOST, out)
        yield (lambda x: x.square().mean(dim=1)), draw(MOST, into)
        yield (lambda x: torch.logsumexp(x, dim=1)), draw(MOST, out)
        yield (lambda x: torch.logsumexp(x, dim=1)), draw(MOST_SMALL, 3)
        yield (lambda x: torch.logsumexp(x.T.contiguous(), dim=0)), draw(MOST, out)


def _same_in_parts(function: Callable[[Tensor], Tensor], x: Tensor) -> bool:
    whole = function(x)
    parts = [function(part.clone()) for part in torch.split(x, TILE)]
    return torch.equal(torch.cat(parts), whole) and _same_in_any_order(function, x)


def _same_in_any_order(function: Callable[[Tensor], Tensor], x: Tensor) -> bool:
    x = x[:TILE].clone()
    return torch.equal(function(x.flip(0)).flip(0), function(x)) and torch.equal(
        function(x.roll(1, 0)).roll(-1, 0), function(x)
    )
