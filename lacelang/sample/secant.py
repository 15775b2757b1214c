"""A Jacobian kept up to date by what evaluations of a slope happen to say of it."""

from __future__ import annotations

from torch import Tensor

LEAST = 1e-30


def follow(jacobian: Tensor, move: Tensor, surprise: Tensor, v: Tensor, gradient: Tensor) -> Tensor:
    """Return the Jacobian that agrees with a new evaluation and is otherwise as it was.

    Two updates of rank one, after Griewank and Walther (2002, "On constrained optimization by
    adjoint based quasi-Newton methods"). The first is Broyden's: J move is what the coordinates
    did change by. The second is its adjoint, J^T v = gradient, and changes each row in proportion
    to its own squared length, for the coordinates have different units.

    Args:
        jacobian: J (N, k, d) before.
        move: (N, d), from where J was known to the evaluation.
        surprise: (N, k), the coordinates' change in that move, less J move.
        v: (N, k), slopes at the evaluation.
        gradient: J^T v (N, d) as evaluated there.
    """
    square = move.double().square().sum(dim=1).clamp_min(LEAST)
    along = (surprise / square[:, None]).to(jacobian)
    jacobian = jacobian + along[:, :, None] * move[:, None]
    pulled = (jacobian * v.to(jacobian)[:, :, None]).sum(dim=1)
    weighted = v * jacobian.square().sum(dim=2)
    scale = (weighted * v).sum(dim=1).clamp_min(LEAST)
    share = (weighted / scale[:, None]).to(jacobian)
    return jacobian + share[:, :, None] * (gradient - pulled)[:, None]
