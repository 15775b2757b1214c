"""Unadjusted Langevin dynamics on the whole energy, prior included: LACE-LD."""

from __future__ import annotations

from torch import Tensor

from lacelang.samplers.driver import Driver
from lacelang.samplers.problem import OnStep, Target
from lacelang.samplers.solution import Solution, Status
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

    With noise sqrt(2 step), the default, it is the Euler discretisation of the diffusion whose
    stationary law is e^-E times the prior. A sample whose energy or gradient turns non-finite stops
    at the best point seen.

    Raises:
        UsageError: noise is asked for without streams, or with streams of another batch.
    """
    run = Driver(target.condition, z0, on_step, target.args)
    own = owned(streams, len(z0), "Langevin noise") if noise else None
    z = z0.clone()
    for _ in run.rounds(steps):
        at = run.evaluate_finite(z)
        run.note(at.energy)
        z = at.z - step * (at.gradient + at.z)
        if own is not None:
            z = z + noise * own.normal(run.rows.tolist(), z)
        run.accepted[run.rows] += 1
    return run.finish(z, Status.converged)
