"""Step sizes found by dual averaging, each from the acceptance rates of its own chain."""

from __future__ import annotations

import math

import torch
from torch import Tensor

# The constants of Hoffman and Gelman 2014, section 3.2.1.
GAMMA, T0, KAPPA = 0.05, 10, 0.75


class StepSizes:
    """Dual averaging of log step sizes (Nesterov 2009; Hoffman and Gelman 2014, algorithm 5).

    The search starts at `start` (n,), on the CPU, and wants the acceptance rate `target`.
    """

    def __init__(self, widest: float, target: float, start: Tensor) -> None:
        self._widest = math.log(widest)
        self._target = target
        self._time = 0
        self._start = start.double().log()
        self._shortfall = torch.zeros_like(self._start)
        self._trial = self._mean = self._start

    @property
    def trial(self) -> Tensor:
        """The step sizes (n,) to try next."""
        return _rounded(self._trial)

    @property
    def settled(self) -> Tensor:
        """The step sizes (n,) that the trials have settled on."""
        return _rounded(self._mean)

    def learn(self, acceptance: Tensor) -> None:
        """Take in the acceptance probabilities (n,) of steps of the sizes on trial."""
        self._time += 1
        t = self._time
        share = 1.0 / (t + T0)
        miss = self._target - acceptance
        self._shortfall = (1.0 - share) * self._shortfall + share * miss
        trial = self._start - math.sqrt(t) / GAMMA * self._shortfall
        self._trial = trial.clamp_max(self._widest)
        weight = t**-KAPPA
        self._mean = weight * self._trial + (1.0 - weight) * self._mean


def _rounded(log_step: Tensor) -> Tensor:
    """e^x in float32: the last bits of an exponential in float64 may depend on the batch."""
    return log_step.exp().float()
