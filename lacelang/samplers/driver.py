"""The driver of samplers: who is under way, what each cost, how it ended, where it was best."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from lacelang.samplers.blocks import Blocks
from lacelang.samplers.problem import Energy, OnStep, Point
from lacelang.samplers.solution import Solution, Stats, Status


class Driver:
    """What the loops of samplers have in common: the samples under way, and what becomes of them.

    It keeps for each of N samples its best evaluated point, how it ended and what it cost.

    Attributes:
        energy: evaluates block by block.
        rows: positions (n,) in the batch of the samples under way, all of them at first.
        args: of the energy, for the samples under way, (n, ...) each.
        nfe, accepted, rejected: what each sample cost, (N,); see `Stats`.
    """

    def __init__(
        self,
        energy: Energy,
        z0: Tensor,
        on_step: OnStep | None = None,
        args: tuple[Tensor, ...] = (),
    ) -> None:
        count, device = len(z0), z0.device
        self.energy = Blocks(energy)
        self.rows = torch.arange(count, device=device)
        self.args = self._all_args = args
        self.nfe, self.accepted, self.rejected = torch.zeros(3, count, dtype=torch.int64).to(device)
        self.z = z0.clone()
        self._best = z0.clone()
        self._least = z0.new_full((count,), math.inf)
        self._status = torch.full((count,), int(Status.converged), device=device)
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
        self._status[rows] = int(status)

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
        """Evaluate the end points, and return the solution with what else is known of each."""
        final = self.energy(self.z, *self._all_args)
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
            tuple(Status(code) for code in self._status.tolist()),
            Stats(self.nfe.cpu(), self.accepted.cpu(), self.rejected.cpu()),
            {name: value.cpu() for name, value in extra.items()},
        )


def only(kept: Tensor, *rows: Tensor) -> tuple[Tensor, ...]:
    """The rows of a mask (n,) of each of `rows` (n, ...), without a copy where they are all."""
    return rows if bool(kept.all()) else tuple(each[kept] for each in rows)
