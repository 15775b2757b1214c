"""Hamiltonian Monte Carlo with the prior's part solved exactly."""

from __future__ import annotations

from torch import Tensor

from lacelang.samplers.chain import walk
from lacelang.samplers.problem import OnStep, Target
from lacelang.samplers.solution import Solution
from lacelang.samplers.streams import Streams, owned


def hmc(
    target: Target,
    z0: Tensor,
    *,
    steps: int,
    warmup: int,
    leapfrog: int,
    accept: float,
    streams: Streams | None = None,
    on_step: OnStep | None = None,
) -> Solution:
    """Throw each sample with a velocity from N(0, I), follow it, and accept where it ends.

    A step of the chain draws v, makes some leapfrog steps for

        H(z, v) = E(z) + ||z||^2 / 2 + ||v||^2 / 2

    and accepts the end with probability min(1, e^-(rise of H)) (Neal 2011; with the prior's part as
    a rotation, Beskos et al. 2011). A trajectory is at most a quarter turn long: where E is flat,
    it then ends in a fresh draw from the prior.

    Args:
        target: what to sample.
        z0: prior draws (N, d).
        steps: trajectories after the warm-up.
        warmup: trajectories in which each sample's step size is adapted.
        leapfrog: steps of a trajectory, each one evaluation.
        accept: the acceptance rate that step sizes are adapted to.
        streams: the samples' noise.
        on_step: called with the share of the trajectories done.

    Returns:
        The last states of the chains; see `walk`.

    Raises:
        UsageError: there are no streams.
    """
    return walk(
        target.condition,
        z0,
        leapfrogs=leapfrog,
        steps=steps,
        warmup=warmup,
        accept=accept,
        streams=owned(streams, len(z0), "hmc"),
        on_step=on_step,
    )
