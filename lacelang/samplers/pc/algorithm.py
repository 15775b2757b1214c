"""Predictor and corrector on the reverse variance-preserving SDE: LACE-PC."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lacelang.errors import UsageError
from lacelang.samplers.blocks import Blocks
from lacelang.samplers.problem import OnStep, Target
from lacelang.samplers.schedule import BETA_MAX, BETA_MIN
from lacelang.samplers.solution import Solution, Status
from lacelang.samplers.state import SamplerState
from lacelang.samplers.streams import Streams, owned


def pc(
    target: Target,
    z0: Tensor,
    *,
    steps: int,
    corrector_steps: int,
    snr: float,
    streams: Streams | None = None,
    on_step: OnStep | None = None,
) -> Solution:
    """Walk the reverse VP-SDE of LACE eq. 6 in `steps` steps (Song et al. 2021, algorithms 3, 5).

    With s(z) = -grad E - z, and beta_k going down from 20 / steps to 0.1 / steps, a step predicts

        z <- (2 - sqrt(1 - beta_k)) z + beta_k s(z) + sqrt(beta_k) eps

    and then corrects `corrector_steps` times by Langevin steps of a size that follows from snr:

        z <- z + a s(z) + sqrt(2 a) eps,   a = 2 (1 - beta_k) (snr ||eps|| / ||s(z)||)^2

    The norms are each sample's own. As the energy does not change with time (LACE A.2), the
    predictor alone would settle at e^-2E times the prior, and the corrector at e^-E; what comes
    out lies between, and is biased by the size of the steps.

    Args:
        target: what to sample.
        z0: prior draws (N, d).
        steps: number of predictor steps, 20 or more so that beta stays at 1 or below; the paper
            takes 100 or 200.
        corrector_steps: after each of them.
        snr: the corrector's signal-to-noise ratio.
        streams: the samples' noise.
        on_step: called with the share of the steps taken.

    Returns:
        Samples; one whose energy or gradient turns non-finite stops at the best point seen.

    Raises:
        UsageError: there are no streams, or too few steps.
    """
    streams = owned(streams, len(z0), "pc")
    if steps < BETA_MAX:
        raise UsageError(f"pc needs {BETA_MAX:g} steps or more, not {steps}")
    energy = Blocks(target.condition)
    state = SamplerState(z0)
    rows = torch.arange(len(z0), device=z0.device)
    z = z0.clone()
    for k in range(steps):
        beta = (BETA_MAX - (BETA_MAX - BETA_MIN) * k / (steps - 1)) / steps
        for part in range(1 + corrector_steps):
            e, gradient = energy.value_and_grad(z)
            finite = state.saw(rows, z, e, gradient)
            if not finite.all():
                state.end(rows[~finite], z[~finite], Status.non_finite)
                rows, z, gradient = rows[finite], z[finite], gradient[finite]
            score = -gradient - z
            noise = streams.normal(rows.tolist(), z)
            if part == 0:
                z = (2.0 - math.sqrt(1.0 - beta)) * z + beta * score + math.sqrt(beta) * noise
            else:
                ratio = snr * noise.norm(dim=1) / score.norm(dim=1).clamp_min(1e-30)
                size = (2.0 * (1.0 - beta) * ratio.square())[:, None]
                z = z + size * score + (2.0 * size).sqrt() * noise
            state.accepted[rows] += 1
        if on_step is not None:
            on_step((k + 1) / steps)
    state.end(rows, z, Status.converged)
    return state.solution(energy)
