"""Book-keeping of a batch: what each sample cost, how it ended, its best point to fall back on."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from lacelang.samplers.blocks import Blocks
from lacelang.samplers.problem import Energy, OnStep, Point
from lacelang.samplers.solution import Solution, Stats, Status


class SamplerState:
    """Where each of N samples from z0 (N, d) stands: its best point, its end, and its costs."""

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
        """Note energies (n,) and gradients (n, d) of the samples at `rows` (n,), evaluated at z.

        Returns whether they are finite (n,).
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

    def solution(self, energy: Energy, *args: Tensor, **extra: Tensor) -> Solution:
        """Evaluate the end points and return the solution, with what else is known of each."""
        with torch.no_grad():
            final = energy(self.z, *args).detach()
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


class Driver(SamplerState):
    """What the loops of samplers have in common: the samples under way, and what becomes of them.

    Attributes:
        energy: evaluates block by block.
        rows: positions (n,) in the batch of the samples under way, all of them at first.
        args: of the energy, for the samples under way, (n, ...) each.
    """

    def __init__(
        self,
        energy: Energy,
        z0: Tensor,
        on_step: OnStep | None = None,
        args: tuple[Tensor, ...] = (),
    ) -> None:
        super().__init__(z0)
        self.energy = Blocks(energy)
        self.rows = torch.arange(len(z0), device=z0.device)
        self.args = self._all_args = args
        self._on_step = on_step

    def evaluate(self, z: Tensor) -> Point:
        """Evaluate the samples under way at z (n, d)."""
        at = Point(z, *self.energy.value_and_grad(z, *self.args))
        self.saw(self.rows, z, at.energy, at.gradient)
        return at

    def evaluate_finite(self, z: Tensor) -> Point:
        """Evaluate the samples under way at z (n, d), and end those that are not finite there."""
        at = self.evaluate(z)
        return at.only(self.drop(~at.finite, z, Status.non_finite))

    def drop(self, ended: Tensor, z: Tensor, status: Status) -> Tensor:
        """End those of a mask (n,) at z (n, d), and return the mask of those that go on."""
        self.end(self.rows[ended], z[ended], status)
        self.keep(~ended)
        return ~ended

    def keep(self, kept: Tensor) -> None:
        """Go on with some of the samples under way, those of a mask (n,)."""
        self.rows, *args = only(kept, self.rows, *self.args)
        self.args = tuple(args)

    def count(self, accepted: Tensor) -> None:
        """Count a step of the samples under way, accepted (n,) or not."""
        self.accepted[self.rows] += accepted
        self.rejected[self.rows] += ~accepted

    def tell(self, share: float) -> None:
        """Tell the share of the work that is done."""
        if self._on_step is not None:
            self._on_step(share)

    def rounds(self, count: int) -> Iterator[int]:
        """Yield 0 .. count - 1 while samples are under way, and tell the share that is done."""
        for done in range(count):
            if not len(self.rows):
                return
            yield done
            self.tell((done + 1) / count)

    def finish(self, z: Tensor, status: Status, **extra: Tensor) -> Solution:
        """End the samples under way at z (n, d), and return the solution of all."""
        self.end(self.rows, z, status)
        return self.result(**extra)

    def result(self, **extra: Tensor) -> Solution:
        """Return the solution, with what else is known of each sample (N,)."""
        return self.solution(self.energy, *self._all_args, **extra)


def only(kept: Tensor, *rows: Tensor) -> tuple[Tensor, ...]:
    """The rows of a mask (n,) of each of `rows` (n, ...), without a copy where they are all."""
    return rows if bool(kept.all()) else tuple(each[kept] for each in rows)
