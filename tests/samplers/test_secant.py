"""A Jacobian that follows slopes: what it learns, and what it must not believe."""

from __future__ import annotations

import math

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from lacelang.samplers.exponential.algorithm import follow
from lacelang.samplers.phi import pull

ROWS, SIZE, DIM = 3, 4, 12
ONES = torch.ones(ROWS)


def drawn(seed: int, *shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@given(st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_it_agrees_with_the_new_slope(seed: int) -> None:
    """J^T v = gradient, for whichever Jacobian it was before."""
    jacobian, v = drawn(seed, ROWS, SIZE, DIM), drawn(seed + 1, ROWS, SIZE)
    move, surprise = drawn(seed + 2, ROWS, DIM), drawn(seed + 3, ROWS, SIZE)
    gradient = drawn(seed + 4, ROWS, DIM)
    updated = follow(jacobian, move, surprise, v, gradient, ONES)
    assert torch.allclose(pull(updated, v), gradient, atol=1e-9)


@given(st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_a_true_jacobian_is_left_alone(seed: int) -> None:
    """Of coordinates that are linear nothing is a surprise."""
    jacobian, v = drawn(seed, ROWS, SIZE, DIM), drawn(seed + 1, ROWS, SIZE)
    move = drawn(seed + 2, ROWS, DIM)
    updated = follow(jacobian, move, torch.zeros(ROWS, SIZE).double(), v, pull(jacobian, v), ONES)
    assert torch.allclose(updated, jacobian, atol=1e-9)


@given(st.integers(0, 10_000), st.floats(-9, 0), st.floats(-3, 9))
@settings(max_examples=80, deadline=None)
def test_coordinates_that_are_off_do_not_make_it_run_away(
    seed: int, length: float, off: float
) -> None:
    """A wrong coordinate over a short move says next to nothing, and changes no row manyfold.

    A row gains its own length at most by the first update, and the second takes back what that
    did to the slope: by Cauchy-Schwarz at most sqrt(k) times its length.
    """
    jacobian, v = drawn(seed, ROWS, SIZE, DIM), drawn(seed + 1, ROWS, SIZE)
    move = drawn(seed + 2, ROWS, DIM) * 10.0**length
    surprise = drawn(seed + 3, ROWS, SIZE) * 10.0**off
    updated = follow(jacobian, move, surprise, v, pull(jacobian, v), ONES)
    longer = updated.norm(dim=2) / jacobian.norm(dim=2)
    assert (longer <= 2.0 + math.sqrt(SIZE) + 1e-6).all()


def test_a_share_of_zero_leaves_it_alone_whatever_the_evaluation_was() -> None:
    jacobian = drawn(1, ROWS, SIZE, DIM)
    nothing = torch.zeros(ROWS, DIM).double()
    lost = torch.full((ROWS, SIZE), math.nan).double()
    updated = follow(jacobian, nothing, torch.zeros_like(lost), lost, nothing, 0.0 * ONES)
    assert torch.equal(updated, jacobian)
