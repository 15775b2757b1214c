"""Adaptive Heun along the energy's gradient flow, every sample at its own pace."""

from __future__ import annotations

import torch
from torch import Tensor

from lacelang.samplers.blocks import Blocks
from lacelang.samplers.flow import rms
from lacelang.samplers.problem import OnStep, Target
from lacelang.samplers.solution import Solution, Status
from lacelang.samplers.state import SamplerState
from lacelang.samplers.streams import Streams

SAFETY = 0.9
GROWTH = 5.0
SHRINKAGE = 0.05
FIRST_MOVE = 0.1
RETRIES = 20
"""How often a sample may meet an energy that is not finite, and try again with a shorter step."""


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
    evaluation. Half the difference of the two slopes times h is the embedded Euler error.

    A step whose error is too large is cut, not thrown away: at theta h, with theta chosen so that
    the error is just what is allowed, the quadratic through both slopes is z + theta h (k + theta
    (k' - k) / 2). So the path depends continuously on every rounding, where accepting or
    rejecting would jump, and a sample comes out the same from any batch.

    Where the gradient vanishes steps grow until one spans the rest; there is no earlier stop, for a
    small gradient may be a saddle's.

    Args:
        target: what to sample.
        z0: prior draws (N, d).
        tolerance: local error allowed per step, RMS over the coordinates, so in units of the
            prior's standard deviation.
        time: length of the flow in tau; the default is the paper's.
        max_steps: of a sample, before it ends as `max_steps`.
        streams: ignored, nothing is random.
        on_step: called with the mean share of the way.

    Returns:
        Samples, with `rejected` counting steps that were cut or, for a slope that was not finite,
        tried again shorter.
    """
    energy = Blocks(target.regularised)
    state = SamplerState(z0)
    rows = torch.arange(len(z0), device=z0.device)
    z = z0.clone()
    e, gradient = energy.value_and_grad(z)
    finite = state.saw(rows, z, e, gradient)
    state.end(rows[~finite], z[~finite], Status.non_finite)

    rows, z, k = rows[finite], z[finite], -gradient[finite]
    left = torch.full_like(e[finite], time)
    h = FIRST_MOVE * tolerance**0.5 / rms(k).clamp_min(1e-30)
    steps = torch.zeros_like(rows)
    failures = torch.zeros_like(rows)

    while len(rows):
        h = torch.minimum(h, left)
        p = z + h[:, None] * k
        e, gradient = energy.value_and_grad(p)
        finite = state.saw(rows, p, e, gradient)
        change = torch.where(finite[:, None], -gradient - k, 0.0)

        excess = 0.5 * h * rms(change) / tolerance
        whole = finite & (excess <= 1.0)
        theta = torch.where(whole, 1.0, excess.clamp_min(1.0).rsqrt() * finite)
        step = theta * h
        z = z + step[:, None] * (k + 0.5 * theta[:, None] * change)
        k = k + theta[:, None] * change
        left = left - step
        factor = SAFETY * excess.clamp_min(1e-12).rsqrt()
        h = h * torch.where(finite, factor.clamp(SHRINKAGE, GROWTH), 0.25)

        state.accepted[rows] += whole
        state.rejected[rows] += ~whole
        steps += 1
        failures += ~finite

        arrived = left <= 0.0
        stuck = failures > RETRIES
        late = (steps >= max_steps) & ~arrived & ~stuck
        going = ~(arrived | stuck | late)
        for ended, status in (
            (arrived, Status.converged),
            (stuck, Status.non_finite),
            (late, Status.max_steps),
        ):
            state.end(rows[ended], z[ended], status)
        rows, z, k, h, left = rows[going], z[going], k[going], h[going], left[going]
        steps, failures = steps[going], failures[going]
        if on_step is not None:
            on_step(1.0 - float(left.sum()) / (time * max(len(z0), 1)))
    return state.solution(energy)
