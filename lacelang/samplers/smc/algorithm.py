"""Sequential Monte Carlo from the prior to the condition, a population for each sample."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lacelang.samplers.driver import Driver
from lacelang.samplers.problem import OnStep, Point, Target
from lacelang.samplers.smc.particles import ParticleSystem
from lacelang.samplers.smc.tempering import temper
from lacelang.samplers.solution import Solution, Status
from lacelang.samplers.streams import Streams, owned


def smc(
    target: Target,
    z0: Tensor,
    *,
    particles: int,
    moves: int,
    ess: float,
    max_steps: int,
    streams: Streams | None = None,
    on_step: OnStep | None = None,
) -> Solution:
    """Carry particles from the prior through e^(-b E), b from 0 to 1, and take one.

    At each inverse temperature b (Del Moral, Doucet and Jasra 2006) the particles of a sample

        are weighted by e^(-(b - b before) E) and resampled by those weights,
        then moved `moves` times by `mala`'s step at b.

    A sample has particles of its own, and one of them at the end, chosen at random, is it. The
    schedule and its step sizes are found beforehand by a pilot run (`temper`), which depends on the
    energy and the seed and on no sample, so that nothing in a sample's own run is adapted: the
    product of its mean weights is an unbiased estimate of Z = E_prior[e^-E]. Its logarithm is
    `extra["log_evidence"]`.

    Weighted by its estimate of Z a sample is exact. Unweighted, its law differs from the exact one
    in total variation by no more than half the mean of |estimate / Z - 1|.

    Returns:
        Samples, with `accepted` and `rejected` counting moves of particles. A sample none of whose
        particles has a finite energy is `non_finite`.

    Raises:
        UsageError: there are no streams.
    """
    streams = owned(streams, len(z0), "smc")
    run = Driver(target.condition, z0, on_step)
    if not len(z0):
        return run.result(log_evidence=z0.new_zeros(0).double())

    def evaluate(z: Tensor) -> Point:
        return Point(z, *run.energy.value_and_grad(z))

    def counted(z: Tensor) -> Point:
        run.nfe += particles
        return evaluate(z)

    schedule = temper(evaluate, z0[:1], streams.pilot(1), ess, max_steps)
    owners = run.rows.repeat_interleave(particles)
    z = streams.normal(owners.tolist(), z0[owners]).view(len(z0), particles, -1)
    z[:, 0] = z0
    system = ParticleSystem(counted, z, streams)
    log_evidence = torch.zeros(len(z0), dtype=torch.float64)
    for done, level in enumerate(schedule):
        log_evidence += system.reweight(level.inverse_temperature)
        for move in range(moves):
            moved, _ = system.move(level.h)
            run.accepted += moved.sum(dim=1)
            run.rejected += (~moved).sum(dim=1)
            run.tell((done + (move + 1) / moves) / len(schedule))
    picked = system.pick()
    kept = run.drop(~log_evidence.isfinite().to(z0.device), z0, Status.non_finite)
    reached = schedule[-1].inverse_temperature == 1.0
    if not reached:
        log_evidence.fill_(math.nan)
    status = Status.converged if reached else Status.max_steps
    return run.finish(picked[kept], status, log_evidence=log_evidence)
