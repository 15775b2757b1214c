"""Predictor and corrector on the reverse variance-preserving SDE: LACE-PC."""

from __future__ import annotations

import math

from torch import Tensor

from lacelang.errors import UsageError
from lacelang.samplers.driver import Driver
from lacelang.samplers.problem import OnStep, Target
from lacelang.samplers.schedule import BETA_MAX, BETA_MIN
from lacelang.samplers.solution import Solution, Status
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
    predictor alone would settle at e^-2E times the prior, and the corrector at e^-E; samples lie
    between, with a bias from the size of the steps. One whose energy or gradient turns non-finite
    stops at the best point seen.

    Raises:
        UsageError: there are no streams, or too few steps.
    """
    streams = owned(streams, len(z0), "pc")
    if steps < BETA_MAX:
        raise UsageError(f"pc needs {BETA_MAX:g} steps or more, not {steps}")
    run = Driver(target.condition, z0, on_step, target.args)
    z = z0.clone()
    for k in run.rounds(steps):
        beta = (BETA_MAX - (BETA_MAX - BETA_MIN) * k / (steps - 1)) / steps
        for part in range(1 + corrector_steps):
            at = run.evaluate_finite(z)
            z, score = at.z, -at.gradient - at.z
            noise = streams.normal(run.rows.tolist(), z)
            if part == 0:
                run.note(at.energy)
                z = (2.0 - math.sqrt(1.0 - beta)) * z + beta * score + math.sqrt(beta) * noise
            else:
                ratio = snr * noise.norm(dim=1) / score.norm(dim=1).clamp_min(1e-30)
                size = (2.0 * (1.0 - beta) * ratio.square())[:, None]
                z = z + size * score + (2.0 * size).sqrt() * noise
            run.accepted[run.rows] += 1
    return run.finish(z, Status.converged)
