"""Unadjusted Langevin dynamics on the whole energy, prior included: LACE-LD."""

from __future__ import annotations

import torch
from torch import Tensor

from lacelang.samplers.blocks import Blocks
from lacelang.samplers.problem import OnStep, Target
from lacelang.samplers.solution import Solution, Status
from lacelang.samplers.state import SamplerState
from lacelang.samplers.streams import Streams, owned


def langevin(
    target: Target,
    z0: Tensor,
    *,
    steps: int,
    step: float,
    noise: float,
    streams: Streams | None = None,
    on_step: OnStep | None = None,
) -> Solution:
    """Walk z <- z - step grad(E(z) + ||z||^2 / 2) + noise eps.

    With noise sqrt(2 step), the default, the walk is an unbiased discretisation of the diffusion
    whose stationary law is e^-E times the prior. The preset `paper` has less noise.

    Args:
        target: what to sample.
        z0: prior draws (N, d).
        steps: number of steps.
        step: eta > 0.
        noise: standard deviation of the noise in a step.
        streams: the samples' noise; may be None if `noise` is 0.
        on_step: called with the share of the steps taken.

    Returns:
        Samples; one whose energy or gradient turns non-finite stops at the best point seen.

    Raises:
        UsageError: noise is asked for without streams, or with streams of another batch.
    """
    if noise:
        streams = owned(streams, len(z0), "Langevin noise")

    energy = Blocks(target.condition)
    state = SamplerState(z0)
    rows = torch.arange(len(z0), device=z0.device)
    z = z0.clone()
    for done in range(1, steps + 1):
        e, gradient = energy.value_and_grad(z)
        finite = state.saw(rows, z, e, gradient)
        if not finite.all():
            state.end(rows[~finite], z[~finite], Status.non_finite)
            rows, z, gradient = rows[finite], z[finite], gradient[finite]
        if not len(rows):
            break
        z = z - step * (gradient + z)
        if noise and streams is not None:
            z = z + noise * streams.normal(rows.tolist(), z)
        state.accepted[rows] += 1
        if on_step is not None:
            on_step(done / steps)
    state.end(rows, z, Status.converged)
    return state.solution(energy)
