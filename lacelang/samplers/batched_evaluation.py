"""Many solvers that each know one sample, their evaluations made together.

A solver that somebody else wrote keeps the control flow to itself: it calls the energy and waits.
In a greenlet of its own, every sample's solver steps as it would alone, and yet one batched
evaluation serves all that are waiting.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from greenlet import getcurrent, greenlet
from torch import Tensor

from lacelang.samplers.problem import Energy, OnStep
from lacelang.system.threads import checkpoint

AT_ONCE = 64


class Client:
    """The energy as a solver sees it: it answers when all solvers have asked."""

    def __init__(self, server: greenlet) -> None:
        self._server = server

    def __call__(self, z: Tensor, *args: Tensor) -> Tensor:
        """Return the energy (1,)."""
        return self.value_and_grad(z)[0]

    def value_and_grad(self, z: Tensor, *args: Tensor) -> tuple[Tensor, Tensor]:
        """Return the energy (1,) of a latent (1, d) and its gradient (1, d)."""
        energy, gradient = self._server.switch(z)
        return energy, gradient


def in_one_batch(
    energy: Energy,
    count: int,
    solve: Callable[[int, Energy], None],
    on_step: OnStep | None,
    args: tuple[Tensor, ...] = (),
) -> None:
    """Run solve(i, its energy) for i in 0 .. count - 1, up to `AT_ONCE` of them side by side.

    Args:
        energy: asked for all waiting samples at once.
        count: of the samples.
        solve: solves sample i; it must touch nothing of another one's.
        on_step: called with the share of the samples solved.
        args: of the energy, (count, ...) each.

    Raises:
        Exception: whatever a solver, the energy or `on_step` raised first.
    """
    client, solved = Client(getcurrent()), 0
    for start in range(0, count, AT_ONCE):
        answers: dict[int, tuple[Any, Any]] = {
            i: (i, client) for i in range(start, min(start + AT_ONCE, count))
        }
        solvers = {i: greenlet(solve) for i in answers}
        while answers:
            checkpoint()
            asked: dict[int, Tensor] = {}
            for i, answer in answers.items():
                z = solvers[i].switch(*answer)
                if not solvers[i].dead:
                    asked[i] = z
                    continue
                solved += 1
                if on_step is not None:
                    on_step(solved / count)
            answers = _answers(energy, asked, args)


def _answers(
    energy: Energy, asked: dict[int, Tensor], args: tuple[Tensor, ...]
) -> dict[int, tuple[Any, Any]]:
    if not asked:
        return {}
    rows, z = list(asked), torch.cat(list(asked.values()))
    energies, gradients = energy.value_and_grad(z, *(each[rows] for each in args))
    return dict(
        zip(
            rows, zip(torch.split(energies, 1), torch.split(gradients, 1), strict=True), strict=True
        )
    )
