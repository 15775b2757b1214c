"""The powers that lead from the prior to a condition, found by a population sent ahead."""

from __future__ import annotations

import torch
from attrs import frozen
from torch import Tensor

from lacelang.samplers.blocks import MANY_ROWS
from lacelang.samplers.leapfrog import Look, quarter_turn
from lacelang.samplers.particles import Cloud
from lacelang.samplers.step_size import StepSizes
from lacelang.samplers.streams import Streams

PILOT = MANY_ROWS
"""Particles of the population: as many as cost nothing more."""

TUNING = 6
"""Moves with which the step size at a power is found."""

ACCEPT = 0.6
_BISECTIONS = 60


@frozen(eq=False)
class Rung:
    """One power of e^-E, and the largest step size (1,) of the moves there."""

    power: float
    h: Tensor


def climb(look: Look, like: Tensor, streams: Streams, ess: float, max_steps: int) -> list[Rung]:
    """Find a ladder of powers up to 1, each as far above the last as the particles allow.

    Args:
        look: evaluates latents.
        like: (1, d), of whose dtype and device the latents are.
        streams: one, of its own.
        ess: share of particles that stays effective from rung to rung (Jasra et al. 2011).
        max_steps: the most rungs, after which the ladder ends below 1.
    """
    z = streams.normal([0] * PILOT, like.expand(PILOT, -1))
    cloud = Cloud(look, z[None], streams)
    widest = quarter_turn(1)
    h = torch.full((1,), widest)
    ladder: list[Rung] = []
    while cloud.power < 1.0 and len(ladder) < max_steps:
        cloud.cool(_next_power(cloud, ess))
        sizes = StepSizes(widest, ACCEPT, h)
        for _ in range(TUNING):
            _, likely = cloud.move(sizes.trial)
            sizes.learn(likely.mean(dim=1))
        h = sizes.settled
        ladder.append(Rung(cloud.power, h))
    return ladder


def _next_power(cloud: Cloud, ess: float) -> float:
    """The power at which the effective share of the particles falls to `ess`, 1 at most."""
    low, high = 0.0, 1.0 - cloud.power
    if _effective(cloud.log_weights(1.0)) >= ess:
        return 1.0
    for _ in range(_BISECTIONS):
        middle = 0.5 * (low + high)
        if _effective(cloud.log_weights(cloud.power + middle)) >= ess:
            low = middle
        else:
            high = middle
    return cloud.power + high


def _effective(log_weights: Tensor) -> float:
    """(sum w)^2 / (K sum w^2); 1 where all weights are 0, and no power is better than another."""
    weights = torch.exp(log_weights - log_weights.max().clamp_min(-1e300))
    square = weights.square().sum()
    return float(weights.sum().square() / (square * weights.numel())) if square > 0 else 1.0
