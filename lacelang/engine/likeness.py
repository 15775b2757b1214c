"""The last part of an edit that keeps identity: a move that makes a face look like itself again.

After its last line, an edited face moves down 1 - cos(e(x), e(x_0)), where e is the descriptor of a
face recogniser (see `lacelang.classifiers.identity`). Each of the styles that a line replaced moves
by itself, along directions on which the classifiers say of it what they said after the last line:
from every step the part along their gradients is projected out, and what curvature adds is undone
by a Gauss-Newton step. Each sample moves by itself, so that its neighbours cannot matter.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from lacelang.system.threads import checkpoint
from lacelang.system.torch_state import one_thread

STEPS = 16
"""Steps for each sample."""

LENGTH = 0.4
"""Root mean square length of a step of `keep identity 1`, in edit coordinates of a style; over the
second half of the steps it falls to 0."""

MOMENTUM = 0.7

_DAMPING = 1e-3  # of the outputs' Gram matrix, as a share of its mean diagonal


def resembling(
    start: Tensor,
    count: int,
    strength: float,
    outputs: Callable[[Tensor], Tensor],
    unlike: Callable[[int], Callable[[Tensor], Tensor]],
) -> Tensor:
    """Move edit coordinates (N, d) so that faces look more like they did before the edit.

    Args:
        start: where the last line ended, (N, d).
        count: how many styles of a sample move.
        strength: multiplies the length of steps.
        outputs: coordinates (count, d) → what is to stay as it is, (count, K).
        unlike: row → a function from a sample's coordinates (count, d) to 1 - cos.

    Returns:
        Coordinates (N, count, d); a sample stays where its gradients are not finite.
    """
    moved = start[:, None].repeat(1, count, 1)
    if count:
        with one_thread():
            for row in range(len(start)):
                u = _moved(moved[row], LENGTH * strength, outputs, unlike(row))
                if bool(u.isfinite().all()):
                    moved[row] = u
    return moved


def _moved(
    start: Tensor,
    longest: float,
    outputs: Callable[[Tensor], Tensor],
    unlike: Callable[[Tensor], Tensor],
) -> Tensor:
    u, speed = start, torch.zeros_like(start)
    kept, _ = _jacobian(outputs, start)
    for step in range(STEPS):
        checkpoint()
        with torch.enable_grad():
            at = u.detach().requires_grad_()
            (slope,) = torch.autograd.grad(unlike(at), at)
        speed = MOMENTUM * speed + slope
        now, jacobian = _jacobian(outputs, u)
        # J+ of both: of the move, the part along the outputs' gradients, and of their change.
        along = _solved(jacobian, torch.einsum("skd,sd->sk", jacobian, speed))
        free = speed - along
        back = _solved(jacobian, now - kept)
        length = longest * min(1.0, 2.0 * (STEPS - step) / STEPS)
        rms = free.square().sum(dim=1).mean().sqrt().clamp_min(torch.finfo(free.dtype).tiny)
        size = back.norm(dim=1, keepdim=True)
        u = u - length * free / rms - back * (length / size.clamp_min(length or 1.0))
    return u.detach()


def _jacobian(outputs: Callable[[Tensor], Tensor], u: Tensor) -> tuple[Tensor, Tensor]:
    """Outputs (S, K) at coordinates (S, d), and their Jacobian (S, K, d); rows are independent."""
    with torch.enable_grad():
        at = u.detach().requires_grad_()
        found = outputs(at)
        rows = [
            torch.autograd.grad(found[:, k].sum(), at, retain_graph=True)[0]
            for k in range(found.shape[1])
        ]
    return found.detach(), torch.stack(rows, dim=1)


def _solved(jacobian: Tensor, change: Tensor) -> Tensor:
    """The shortest moves (S, d) that change the outputs by (S, K)."""
    gram = jacobian @ jacobian.transpose(1, 2)
    tiny = torch.finfo(gram.dtype).tiny  # where no output depends on anything
    share = (_DAMPING * gram.diagonal(dim1=1, dim2=2).mean(dim=1)).clamp_min(tiny)
    gram = gram + share[:, None, None] * torch.eye(gram.shape[1]).to(gram)
    # What is not finite gives what is not finite, and no error.
    weights, _ = torch.linalg.solve_ex(gram, change[..., None])
    found: Tensor = (jacobian.transpose(1, 2) @ weights)[..., 0]
    return found
