"""A Jacobian kept up to date by what evaluations of a slope happen to say of it."""

from __future__ import annotations

import torch
from torch import Tensor

from lacelang.samplers.phi import pull

LEAST = 1e-30


def follow(
    jacobian: Tensor, move: Tensor, residual: Tensor, v: Tensor, gradient: Tensor, share: Tensor
) -> Tensor:
    """Return the Jacobian that agrees with a new evaluation and is otherwise as it was.

    Two updates of rank one, after Griewank and Walther (2002, "On constrained optimization by
    adjoint based quasi-Newton methods"). The first is Broyden's: J move is what the coordinates
    did change by. The second is its adjoint, J^T v = gradient, and changes each row in proportion
    to its own squared length, for the coordinates have different units.

    No row changes by more than its length in the first. After a step that was cut the coordinates
    are interpolated, and what they are off by is no news of the Jacobian: divided by a short move
    it would make it many times too steep, the next move shorter still, and so on without end.

    Args:
        jacobian: J (N, k, d) before.
        move: (N, d), from where J was known to the evaluation.
        residual: (N, k), the coordinates' change in that move, less J move.
        v: (N, k), slopes at the evaluation.
        gradient: J^T v (N, d) as evaluated there.
        share: (N,), how much of both updates to make; where it is 0, the evaluation may be NaN.
    """
    v = torch.where(share[:, None] > 0.0, v, 0.0)
    squares = jacobian.square().sum(dim=2)
    distance = move.double().square().sum(dim=1, keepdim=True)
    most = squares.double().sqrt() * distance.sqrt()
    along = residual.clamp(-most, most) / distance.clamp_min(LEAST)
    weighted = v * squares
    across = weighted / (weighted * v).sum(dim=1, keepdim=True).clamp_min(LEAST)
    missing = gradient - pull(jacobian, v) - (along * v).sum(dim=1, keepdim=True).to(move) * move
    left = torch.stack([along, across], dim=2) * share[:, None, None]
    left = left.to(jacobian)[..., None]
    # Number by number: a batched product of k rows rounds by where in memory a matrix begins.
    return jacobian + (left[:, :, 0] * move[:, None] + left[:, :, 1] * missing[:, None])
