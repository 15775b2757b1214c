"""What samplers compute outside of blocks has the same bits in any batch as well."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from lacelang.rows import in_blocks, named_in_blocks
from lacelang.samplers.chain import _kick
from lacelang.samplers.driver import rms
from lacelang.samplers.exponential.algorithm import follow
from lacelang.samplers.phi import LowRank, phi, pull, push

COUNT = 70


def drawn(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(shape, dtype=dtype, generator=torch.Generator().manual_seed(sum(shape)))


def _low_rank(jacobian: Tensor, curvature: Tensor, v: Tensor, x: Tensor) -> Tensor:
    flow = LowRank(jacobian, curvature @ curvature.transpose(1, 2))
    h = 0.1 + v[:, 0].square()
    change = push(jacobian, x)
    return torch.cat([flow.phi1_pull(h, v), flow.phi2(h, x), flow.bend(change)], dim=1)


def _functions(k: int, d: int) -> dict[str, tuple[Callable[..., Tensor], tuple[Tensor, ...]]]:
    double = torch.float64
    jacobian, x, y = drawn(COUNT, k, d), drawn(COUNT, d), drawn(COUNT, d) + 1
    v, curvature = drawn(COUNT, k, dtype=double), drawn(COUNT, k, k, dtype=double)
    share = drawn(COUNT).abs()
    return {
        "rms": (rms, (x,)),
        "norm": (lambda x: x.norm(dim=1), (x,)),
        "kick": (lambda x, y: _kick(x, y)[1], (x, y)),
        "phi": (lambda v: phi(2, -v.abs()), (v,)),
        "pull": (pull, (jacobian, v)),
        "push": (push, (jacobian, x)),
        "low rank": (_low_rank, (jacobian, curvature, v, x)),
        "secant": (follow, (jacobian, x, v, v + 1, y, share)),
        "log weights": (lambda v: torch.exp(v - v.amax(dim=1, keepdim=True)).cumsum(dim=1), (v,)),
    }


@pytest.mark.parametrize("d", [5, 8, 37, 100, 512])
@pytest.mark.parametrize("k", [1, 2, 7, 12])
def test_any_number_of_rows_in_any_place(k: int, d: int) -> None:
    for name, (function, rows) in _functions(k, d).items():
        whole = function(*rows)
        for count in (1, 2, 3, 5, 16, 31, 33, 64):
            for first in (0, COUNT - count):
                part = slice(first, first + count)
                assert torch.equal(function(*(x[part].clone() for x in rows)), whole[part]), name


def test_blocks_of_several_tensors_and_of_no_rows() -> None:
    def function(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        return x + y[:, :1], x.sum(dim=1)

    x, y = drawn(COUNT, 4), drawn(COUNT, 3)
    for count in (0, 1, 32, 65):
        found = in_blocks(function, x[:count], y[:count])
        for mine, theirs in zip(found, function(x[:count], y[:count]), strict=True):
            assert torch.allclose(mine, theirs)
            assert mine.shape == theirs.shape
    assert named_in_blocks(lambda x: {"double": 2 * x}, x)["double"].shape == (COUNT, 4)


def test_what_fills_a_block_has_no_gradient() -> None:
    x = drawn(3, 4).requires_grad_()
    (cubes,) = in_blocks(lambda x: (x**3,), x)
    (gradient,) = torch.autograd.grad(cubes.sum(), x)
    assert torch.allclose(gradient, 3 * x**2)
