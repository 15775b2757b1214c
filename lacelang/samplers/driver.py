"""What the loops of samplers share: which samples are under way, what each cost, steps of a flow.

Energies are evaluated in blocks of rows, so that a sample does not depend on its batch.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from attrs import define, frozen
from torch import Tensor

from lacelang.rows import in_blocks
from lacelang.samplers.problem import Energy, OnStep, Point
from lacelang.samplers.solution import Solution, Stats, Status
from lacelang.samplers.trace import Points, slot_of


class Driver:
    """The samples under way, and for all N their best evaluated point, status and cost.

    Attributes:
        energy: evaluates block by block.
        rows: positions (n,) in the batch of the samples under way, all of them at first.
        args: of the energy, for the samples under way, (n, ...) each.
        nfe, accepted, rejected: what each sample cost, (N,); see `Stats`.
        tell: tells the share of the work that is done.
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
        self.tell: OnStep = on_step or (lambda share: None)
        self._noted = 0
        self._points = Points(self._least)

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
        """End some samples at z, or, where nothing was found, at their best point."""
        at_best = status in (Status.non_finite, Status.max_tries)
        self.z[rows] = self._best[rows] if at_best else z
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

    def note(self, energy: Tensor, rows: Tensor | None = None, step: int | None = None) -> None:
        """Note where samples are, as a point of their traces.

        It is called once a step, and looks at nothing that the sampler goes on with.

        Args:
            energy: of the samples, (n,).
            rows: their positions (n,); None means those under way.
            step: their step; None counts the calls.
        """
        if step is None:
            step, self._noted = self._noted, self._noted + 1
        slot = slot_of(step)
        if slot is not None:
            rows = self.rows if rows is None else rows
            self._points.note(slot, rows, energy, self._costs(rows))

    def _costs(self, rows: Tensor) -> tuple[Tensor, ...]:
        return self.nfe[rows], self.accepted[rows], self.rejected[rows]

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
        every = torch.arange(len(self.z), device=self.z.device)
        end = Points(self._least)
        end.note(0, every, final, self._costs(every))
        nothing = torch.zeros(3, len(self.z), dtype=torch.int64)
        trace = self._points.trace().then(end.trace(), *nothing)
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
            trace,
        )


def only(kept: Tensor, *rows: Tensor) -> tuple[Tensor, ...]:
    """The rows of a mask (n,) of each of `rows` (n, ...), without a copy where they are all."""
    return rows if bool(kept.all()) else tuple(each[kept] for each in rows)


MANY_ROWS = 128
"""Rows to evaluate at once where every sample asks for several."""


@frozen(eq=False)
class Blocks:
    """An energy that evaluates another one block by block (`in_blocks`)."""

    _energy: Energy

    def __call__(self, z: Tensor, *args: Tensor) -> Tensor:
        """Return the energies (N,), without a graph."""
        with torch.no_grad():
            (energies,) = in_blocks(lambda *block: (self._energy(*block),), z, *args)
        return energies

    def value_and_grad(self, z: Tensor, *args: Tensor) -> tuple[Tensor, Tensor]:
        """Return the energies (N,) and their gradients (N, d)."""
        energies, gradients = in_blocks(self._energy.value_and_grad, z, *args)
        return energies, gradients


SAFETY = 0.9
SHRINKAGE = 0.05
FIRST_MOVE = 0.1
RETRIES = 20
"""How often a sample may try again with a shorter step where an energy is not finite."""


@define(eq=False, slots=False)
class Pace:
    """The step size of each sample of a flow, and the time that it has left.

    A step whose error is too large is not rejected but cut, to the share theta of its length at
    which the error, which goes with its square, is the tolerance. So the path depends continuously
    on rounding. There is no early stop: a small gradient may be a saddle's.

    Attributes:
        run: the samples under way.
        speed: root mean square (n,) of their first slopes; its type is that of step sizes.
        growth: how many times longer a step may be than the one before it.
        h: the next step's size (n,).
    """

    run: Driver
    speed: Tensor
    tolerance: float
    time: float
    max_steps: int
    growth: float

    def __attrs_post_init__(self) -> None:
        h = FIRST_MOVE * self.tolerance**0.5 / self.speed.clamp_min(1e-30)
        self._left = torch.full_like(h, self.time)
        self.h = torch.minimum(h, self._left)
        self._steps = torch.zeros_like(self.run.rows)
        self._failures = torch.zeros_like(self.run.rows)

    def cut(self, h: Tensor, error: Tensor, finite: Tensor) -> Tensor:
        """Take a step of the size h (n,), at most `self.h`, and find the next size.

        The error (n,) of the whole step is 0 where its end is not finite. Returns theta (n,), the
        share of the step to make.
        """
        excess = error / self.tolerance
        whole = finite & (excess <= 1.0)
        theta = torch.where(whole, 1.0, excess.clamp_min(1.0).rsqrt() * finite)
        self._left = self._left - theta * h
        factor = (SAFETY * excess.clamp_min(1e-12).rsqrt()).clamp(SHRINKAGE, self.growth)
        self.h = torch.minimum(h * torch.where(finite, factor, 0.25), self._left)
        self._steps = self._steps + 1
        self._failures = self._failures + ~finite
        self.run.count(whole)
        return theta

    def settle(self, z: Tensor, lost: Tensor | None = None) -> Tensor:
        """End the samples at z (n, d) whose time or steps are used up, or that failed too often.

        Those of the mask `lost` (n,) end too. Returns the mask of those that go on.
        """
        run = self.run
        arrived = self._left <= 0.0
        failed = self._failures > RETRIES
        stuck = ~arrived & (failed if lost is None else failed | lost)
        late = (self._steps >= self.max_steps) & ~arrived & ~stuck
        for ended, status in (
            (arrived, Status.converged),
            (stuck, Status.non_finite),
            (late, Status.max_steps),
        ):
            run.end(run.rows[ended], z[ended], status)
        going = ~(arrived | stuck | late)
        run.keep(going)
        self.h, self._left, self._steps, self._failures = only(
            going, self.h, self._left, self._steps, self._failures
        )
        run.tell(1.0 - float(self._left.sum()) / (self.time * len(run.z)))
        return going


def rms(x: Tensor) -> Tensor:
    """Root mean square (N,) over the coordinates of (N, d): 1 for a prior draw."""
    return x.square().mean(dim=1).sqrt()
