"""The tempering schedule from the prior to a condition, found by a pilot run."""

from __future__ import annotations

import torch
from attrs import frozen
from torch import Tensor

from lacelang.samplers.chain import Evaluate, StepSizes, quarter_turn
from lacelang.samplers.driver import MANY_ROWS
from lacelang.samplers.smc.particles import ParticleSystem
from lacelang.samplers.streams import Streams

PILOT = MANY_ROWS
"""Particles of the pilot run: as many as cost nothing more."""

TUNING = 6
"""Moves with which the step size at an inverse temperature is found."""

ACCEPT = 0.6
_BISECTIONS = 60


@frozen(eq=False)
class Tempering:
    """One level of the schedule, and the largest step size (1,) of the moves there."""

    inverse_temperature: float
    h: Tensor


def temper(
    evaluate: Evaluate, like: Tensor, streams: Streams, ess: float, max_steps: int
) -> list[Tempering]:
    """Find inverse temperatures up to 1, each as far above the last as the particles allow.

    The share `ess` of them stays effective from level to level (Jasra et al. 2011). After
    `max_steps` levels the schedule ends below 1. Latents are of the kind of `like` (1, d).
    """
    z = streams.normal([0] * PILOT, like.expand(PILOT, -1))
    system = ParticleSystem(evaluate, z[None], streams)
    widest = quarter_turn(1)
    h = torch.full((1,), widest)
    schedule: list[Tempering] = []
    while system.inverse_temperature < 1.0 and len(schedule) < max_steps:
        system.reweight(_next_level(system, ess))
        sizes = StepSizes(widest, ACCEPT, h)
        for _ in range(TUNING):
            _, likely = system.move(sizes.trial)
            sizes.learn(likely.mean(dim=1))
        h = sizes.settled
        schedule.append(Tempering(system.inverse_temperature, h))
    return schedule


def _next_level(system: ParticleSystem, ess: float) -> float:
    """Where the effective share of the particles falls to `ess`, 1 at most."""
    low, high = 0.0, 1.0 - system.inverse_temperature
    if _effective(system.log_weights(1.0)) >= ess:
        return 1.0
    for _ in range(_BISECTIONS):
        middle = 0.5 * (low + high)
        if _effective(system.log_weights(system.inverse_temperature + middle)) >= ess:
            low = middle
        else:
            high = middle
    return system.inverse_temperature + high


def _effective(log_weights: Tensor) -> float:
    """(sum w)^2 / (K sum w^2); 1 where all weights are 0, and no level is better than another."""
    weights = torch.exp(log_weights - log_weights.max().clamp_min(-1e300))
    square = weights.square().sum()
    return float(weights.sum().square() / (square * weights.numel())) if square > 0 else 1.0
