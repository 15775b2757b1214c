"""Adaptive Heun along the energy's gradient flow, every sample at its own pace."""

from __future__ import annotations

import torch
from torch import Tensor

from lacelang.samplers.driver import Driver, Pace, only, rms
from lacelang.samplers.problem import OnStep, Target
from lacelang.samplers.solution import Solution
from lacelang.samplers.streams import Streams

GROWTH = 5.0


def heun(
    target: Target,
    z0: Tensor,
    *,
    tolerance: float,
    time: float,
    max_steps: int,
    streams: Streams | None = None,
    on_step: OnStep | None = None,
) -> Solution:
    """Follow dz/dtau = -grad E from tau = 0 to `time` (LACE eq. 7 in its autonomous form).

    A step predicts by Euler, evaluates the slope k' there, and corrects by the trapezoid:

        p = z + h k,   k' = -grad E(p),   z <- z + h (k + k') / 2,   k <- k'

    The slope at the prediction is the first one of the next step (FSAL), so a step costs one
    evaluation. Half the difference of the two slopes times h is the embedded Euler error; its RMS
    over the coordinates, in units of the prior's standard deviation, is held at `tolerance`.
    A step that is too long is cut to theta h (`Pace`): the quadratic through both slopes is
    z + theta h (k + theta (k' - k) / 2).

    Returns:
        Samples, with `rejected` counting steps that were cut or tried again shorter.
    """
    run = Driver(target.regularised, z0, on_step, target.args)
    at = run.evaluate_finite(z0)
    run.note(at.energy)
    z, k = at.z, -at.gradient
    pace = Pace(run, rms(k), tolerance, time, max_steps, GROWTH)
    while len(run.rows):
        h = pace.h
        p = run.evaluate(z + h[:, None] * k)
        change = torch.where(p.finite[:, None], -p.gradient - k, 0.0)
        theta = pace.cut(h, 0.5 * h * rms(change), p.finite)
        run.note(p.energy)
        z = z + (theta * h)[:, None] * (k + 0.5 * theta[:, None] * change)
        k = k + theta[:, None] * change
        z, k = only(pace.settle(z), z, k)
    return run.result()
