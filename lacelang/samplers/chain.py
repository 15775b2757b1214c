"""Metropolis chains by leapfrog steps, one a sample: warm-up with adaptation, then as they are."""

from __future__ import annotations

import torch
from torch import Tensor

from lacelang.samplers.driver import Driver
from lacelang.samplers.leapfrog import Evaluate, leapfrog, quarter_turn
from lacelang.samplers.problem import OnStep, Point, Target
from lacelang.samplers.solution import Solution, Status
from lacelang.samplers.step_size import StepSizes
from lacelang.samplers.streams import Streams, owned

FEW = 10
"""Refusals in a row that are no chance: at the usual rates, 1 chain in 10 000 has as many."""


def step(
    evaluate: Evaluate,
    at: Point,
    streams: Streams,
    owners: list[int],
    h: Tensor,
    leapfrogs: int = 1,
    inverse_temperature: float = 1.0,
) -> tuple[Point, Tensor, Tensor]:
    """One step of a chain that leaves e^(-inverse_temperature E) N(0, I) as it is.

    The step size is drawn anew, uniform between 0 and h (advised by Neal 2011, sec. 5.4.2): a chain
    that has come to where its gradients are too steep for h would otherwise stay there for long.

    Args:
        evaluate: gives energies and gradients of latents.
        at: where the n chains are.
        streams: the samples' noise.
        owners: for each chain, the place of its stream.
        h: largest step sizes (n,), on the CPU as all numbers that steer chains are.
        leapfrogs: steps before the end is accepted or not.
        inverse_temperature: of e^-E.

    Returns:
        Where they are now, whether they moved (n,), and the probability of it (n,), float64 on the
        CPU.
    """
    velocity = streams.normal(owners, at.z)
    chance = streams.exponential(owners)
    h = h * streams.uniform(owners).to(h)
    end, _, rise = leapfrog(evaluate, at, velocity, h, leapfrogs, inverse_temperature)
    rise = rise.cpu().double()
    moved = (chance >= rise).to(at.z.device)
    return at.where(moved, end), moved, torch.exp(-rise.clamp_min(0.0))


def walk(
    target: Target,
    z0: Tensor,
    *,
    steps: int,
    warmup: int,
    accept: float,
    leapfrog: int,
    streams: Streams | None = None,
    on_step: OnStep | None = None,
) -> Solution:
    """Run a chain for each sample from its prior draw.

    A step of Hamiltonian Monte Carlo draws v from N(0, I), makes some leapfrog steps for

        H(z, v) = E(z) + ||z||^2 / 2 + ||v||^2 / 2

    and accepts the end with probability min(1, e^-(rise of H)) (Neal 2011; with the prior's part as
    a rotation, Beskos et al. 2011). A trajectory is at most a quarter turn long: where E is flat,
    it then ends in a fresh draw from the prior.

    With one leapfrog step it is the Metropolis-adjusted Langevin algorithm. With the Langevin step
    delta = h^2 / 2 (as in `langevin`), that proposes

        z' = ((2 - delta) z - 2 delta grad E(z) + sqrt(8 delta) eps) / (2 + delta)

    which takes the prior's drift at the middle of the step (pCNL of Cotter et al. 2013, sec. 4).
    The rise of H is -log of the Metropolis-Hastings ratio (Neal 2011, section 5.2). Where E is flat
    every proposal is accepted, in any dimension.

    Each chain adapts its own step size in its own warm-up, then keeps it, so that what follows is a
    chain with the target as its stationary law.

    Returns:
        The last states. A proposal where energy or gradient is not finite is not accepted. A chain
        that cannot start is `non_finite`; one that accepts nothing after its warm-up, `stuck`.

    Raises:
        UsageError: there are no streams.
    """
    streams = owned(streams, len(z0), "a Metropolis chain")
    run = Driver(target.condition, z0, on_step, target.args)
    at = run.evaluate_finite(z0)
    owners = run.rows.tolist()
    widest = quarter_turn(leapfrog)
    sizes = StepSizes(widest, accept, torch.full((len(owners),), widest))
    since = torch.zeros_like(run.rows)
    for done in run.rounds(warmup + steps):
        warm = done >= warmup
        h = sizes.settled if warm else sizes.trial
        at, moved, acceptance = step(run.evaluate, at, streams, owners, h, leapfrog)
        if not warm:
            sizes.learn(acceptance)
        since += moved & warm
        run.count(moved)
    # A short chain may refuse everything by chance: it is judged with its warm-up.
    still = (since if steps >= FEW else run.accepted[run.rows]) == 0
    moving = run.drop(still, at.z, Status.stuck)
    return run.finish(at.z[moving], Status.converged)
