"""Adaptive steps along the gradient flow dz/dtau = -grad E (LACE eq. 7 in its autonomous form)."""

from __future__ import annotations

import torch
from torch import Tensor

from lacelang.samplers.driver import Driver, only
from lacelang.samplers.solution import Status

SAFETY = 0.9
SHRINKAGE = 0.05
FIRST_MOVE = 0.1
RETRIES = 20
"""How often a sample may meet an energy that is not finite, and try again with a shorter step."""


class Pace:
    """How far each sample of a flow goes in a step: the step size, and what is left of its way.

    A step whose error is too large is cut, not thrown away: to the share theta of its length at
    which the error, which goes with its square, is just what is allowed. So the path depends
    continuously on every rounding, where accepting or rejecting would jump. Where the gradient
    vanishes steps grow until one spans the rest; there is no earlier stop, for a small gradient may
    be a saddle's.

    Args:
        run: the samples under way.
        speed: root mean square (n,) of their first slopes; its type is that of step sizes.
        tolerance: the error allowed in a step.
        time: length of the flow in tau.
        max_steps: of a sample.
        growth: how many times longer a step may be than the one before it.

    Attributes:
        h: the next step's size (n,).
    """

    def __init__(
        self,
        run: Driver,
        speed: Tensor,
        tolerance: float,
        time: float,
        max_steps: int,
        growth: float,
    ) -> None:
        self._run, self._tolerance, self._time = run, tolerance, time
        self._max_steps, self._growth = max_steps, growth
        h = FIRST_MOVE * tolerance**0.5 / speed.clamp_min(1e-30)
        self._left = torch.full_like(h, time)
        self.h = torch.minimum(h, self._left)
        self._steps = torch.zeros_like(run.rows)
        self._failures = torch.zeros_like(run.rows)

    def cut(self, h: Tensor, error: Tensor, finite: Tensor) -> Tensor:
        """Take a step of the size h (n,), at most `self.h`, and find the next size.

        Args:
            h: (n,).
            error: of the whole step (n,), 0 where it ended at no finite energy.
            finite: whether it did (n,).

        Returns:
            theta (n,), the share of the step that is to be made.
        """
        excess = error / self._tolerance
        whole = finite & (excess <= 1.0)
        theta = torch.where(whole, 1.0, excess.clamp_min(1.0).rsqrt() * finite)
        self._left = self._left - theta * h
        factor = (SAFETY * excess.clamp_min(1e-12).rsqrt()).clamp(SHRINKAGE, self._growth)
        self.h = torch.minimum(h * torch.where(finite, factor, 0.25), self._left)
        self._steps = self._steps + 1
        self._failures = self._failures + ~finite
        self._run.count(whole)
        return theta

    def settle(self, z: Tensor, lost: Tensor | None = None) -> Tensor:
        """End the samples at z (n, d) whose way or steps are used up, or that fail again and again.

        Those of the mask `lost` (n,) cannot go on. Returns which ones do, (n,).
        """
        run = self._run
        arrived = self._left <= 0.0
        failed = self._failures > RETRIES
        stuck = ~arrived & (failed if lost is None else failed | lost)
        late = (self._steps >= self._max_steps) & ~arrived & ~stuck
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
        run.tell(1.0 - float(self._left.sum()) / (self._time * len(run.z)))
        return going


def rms(x: Tensor) -> Tensor:
    """Root mean square (N,) over the coordinates of (N, d): 1 for a prior draw."""
    return x.square().mean(dim=1).sqrt()
