"""Book-keeping of a batch: what each sample cost, how it ended, its best point to fall back on."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lacelang.samplers.problem import Energy
from lacelang.samplers.solution import Solution, Stats, Status


class SamplerState:
    """Where each sample of a batch stands: its best evaluated point, its end, and its costs.

    Args:
        z0: starts (N, d).
    """

    def __init__(self, z0: Tensor) -> None:
        count = len(z0)
        self.z = z0.clone()
        self.status = torch.full((count,), int(Status.converged), device=z0.device)
        self._best = z0.clone()
        self._least = z0.new_full((count,), math.inf)
        zeros = torch.zeros(count, dtype=torch.int64, device=z0.device)
        self.nfe, self.accepted, self.rejected = zeros, zeros.clone(), zeros.clone()

    def saw(
        self, rows: Tensor, z: Tensor, energy: Tensor, gradient: Tensor | None = None
    ) -> Tensor:
        """Note an evaluation of some samples.

        Args:
            rows: different positions (n,) in the batch.
            z: where (n, d) they were evaluated.
            energy: (n,).
            gradient: (n, d), if it was asked for.

        Returns:
            bool (n,): whether energy and gradient are finite.
        """
        self.nfe[rows] += 1
        finite = energy.isfinite()
        if gradient is not None:
            finite = finite & gradient.isfinite().all(dim=1)
        energy = energy.to(self._least)
        better = finite & (energy < self._least[rows])
        self._least[rows[better]] = energy[better]
        self._best[rows[better]] = z[better]
        return finite

    def end(self, rows: Tensor, z: Tensor, status: Status) -> None:
        """Note that some samples ended at z, or, as their status may have it, at their best."""
        self.z[rows] = self._best[rows] if status.at_best else z
        self.status[rows] = int(status)

    def solution(self, energy: Energy, **extra: Tensor) -> Solution:
        """Evaluate the end points and return the solution, with what else is known of each."""
        with torch.no_grad():
            final = energy(self.z).detach()
        self.nfe += 1
        lost = ~(final.isfinite() & self.z.isfinite().all(dim=1))
        if lost.any():
            rows = lost.nonzero()[:, 0]
            self.end(rows, self.z[rows], Status.non_finite)
            least = self._least[rows]
            final[rows] = torch.where(least.isfinite(), least, math.nan)
        return Solution(
            self.z,
            final,
            tuple(Status(code) for code in self.status.tolist()),
            Stats(self.nfe.cpu(), self.accepted.cpu(), self.rejected.cpu()),
            {name: value.cpu() for name, value in extra.items()},
        )
