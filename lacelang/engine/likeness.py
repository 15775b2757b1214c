"""The last part of an edit that keeps identity: a move that makes a face look like itself again.

After its last line, an edited face moves a little further down the energy of that line and

    kappa (1 - cos(e(x), e(x_0))),

where e is what a face recogniser says of a small image, without what attributes explain of it (see
`lacelang.classifiers.identity`). Each sample moves by itself, so that its neighbours cannot matter.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from lacelang.system.threads import checkpoint
from lacelang.system.torch_state import one_thread

STEPS = 20
"""Steps of Adam for each sample."""

RATE = 0.1
"""The largest step along a coordinate; it falls to 0 over the second half of the steps."""

CAUTION = 3.0
"""How much more the conditions count than in their line: the move may not spend what they won."""

KAPPA = 60.0
"""kappa of `keep identity 1`, in nats."""

_BETAS = (0.8, 0.95)


def resembling(
    start: Tensor,
    strength: float,
    energy: Callable[[Tensor, int], Tensor],
    styles: Callable[[Tensor, int], Tensor],
    identity: Callable[[Tensor], Tensor],
    before: Tensor,
) -> Tensor:
    """Move edit coordinates (N, d) so that faces look more like they did before the edit.

    Args:
        start: where the last line ended, (N, d).
        strength: multiplies kappa.
        energy: coordinates (1, d) of a sample, and its row → the energy of the last line, (1,).
        styles: the same → the styles (1, styles, d') that are decoded.
        identity: styles → unit descriptors (1, K).
        before: styles of all samples before the edit, (N, styles, d').

    Returns:
        The new coordinates (N, d); those of a sample whose energy is not finite stay.
    """
    moved = start.clone()
    with one_thread(), torch.enable_grad():
        for row in range(len(start)):
            with torch.no_grad():
                who = identity(before[row : row + 1])
            u = start[row : row + 1].clone().requires_grad_()
            optimiser = torch.optim.Adam([u], lr=RATE, betas=_BETAS)
            for step in range(STEPS):
                checkpoint()
                optimiser.param_groups[0]["lr"] = RATE * min(1.0, 2.0 * (STEPS - step) / STEPS)
                cosine = (identity(styles(u, row)) * who).sum()
                loss = CAUTION * energy(u, row).sum() + KAPPA * strength * (1.0 - cosine)
                (slope,) = torch.autograd.grad(loss, u)
                u.grad = slope
                optimiser.step()
            if bool(u.isfinite().all()):
                moved[row] = u.detach()[0]
    return moved
