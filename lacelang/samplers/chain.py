"""Metropolis chains by leapfrog steps, one a sample: warm-up with adaptation, then as they are."""

from __future__ import annotations

import torch
from torch import Tensor

from lacelang.samplers.blocks import Blocks
from lacelang.samplers.leapfrog import Look, Point, leapfrog, quarter_turn
from lacelang.samplers.problem import Energy, OnStep
from lacelang.samplers.solution import Solution, Status
from lacelang.samplers.state import SamplerState
from lacelang.samplers.step_size import StepSizes
from lacelang.samplers.streams import Streams

FEW = 10
"""Refusals in a row that are no chance: at the usual rates, 1 chain in 10 000 has as many."""


def step(
    look: Look,
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
        look: evaluates latents.
        at: where the n chains are.
        streams: the samples' noise.
        owners: for each chain, the place of its stream.
        h: largest step sizes (n,), on the CPU as all numbers that steer chains are.
        leapfrogs: leapfrog steps before the end is accepted or not.
        inverse_temperature: of e^-E.

    Returns:
        Where they are now, whether they moved (n,), and the probability with which they would
        (n,), float64 on the CPU.
    """
    velocity = streams.normal(owners, at.z)
    chance = streams.exponential(owners)
    h = h * streams.uniform(owners).to(h)
    end, _, rise = leapfrog(look, at, velocity, h, leapfrogs, inverse_temperature)
    rise = rise.cpu().double()
    moved = (chance >= rise).to(at.z.device)
    return at.where(moved, end), moved, torch.exp(-rise.clamp_min(0.0))


def walk(
    energy: Energy,
    z0: Tensor,
    *,
    leapfrogs: int,
    steps: int,
    warmup: int,
    accept: float,
    streams: Streams,
    on_step: OnStep | None,
) -> Solution:
    """Run a chain for each sample from its prior draw.

    Each adapts its own step size in its own warm-up, then keeps it, so that what follows is a chain
    with the target as its stationary law.

    Args:
        energy: the conditional energy, prior excluded.
        z0: prior draws (N, d).
        leapfrogs: leapfrog steps in a step of the chain.
        steps: of the chain, after the warm-up.
        warmup: steps in which step sizes are adapted.
        accept: the acceptance rate they are adapted to.
        streams: the samples' noise.
        on_step: called with the share of the steps taken.

    Returns:
        The last states. A proposal where energy or gradient is not finite is not accepted. A chain
        that cannot start is `non_finite`; one that accepts nothing after its warm-up, `stuck`.
    """
    energy = Blocks(energy)
    state = SamplerState(z0)
    rows = torch.arange(len(z0), device=z0.device)

    def look(z: Tensor) -> Point:
        at = Point(z, *energy.value_and_grad(z))
        state.saw(rows, at.z, at.energy, at.gradient)
        return at

    at = look(z0)
    finite = at.finite
    state.end(rows[~finite], z0[~finite], Status.non_finite)
    at, rows = at.only(finite), rows[finite]
    owners = rows.tolist()
    widest = quarter_turn(leapfrogs)
    sizes = StepSizes(widest, accept, torch.full((len(rows),), widest))
    since = torch.zeros_like(rows)
    for done in range(warmup + steps):
        warm = done >= warmup
        h = sizes.settled if warm else sizes.trial
        at, moved, acceptance = step(look, at, streams, owners, h, leapfrogs)
        if not warm:
            sizes.learn(acceptance)
        since += moved & warm
        state.accepted[rows] += moved
        state.rejected[rows] += ~moved
        if on_step is not None:
            on_step((done + 1) / (warmup + steps))
    state.end(rows, at.z, Status.converged)
    # A short chain may refuse everything by chance: it is judged with its warm-up.
    still = (since if steps >= FEW else state.accepted[rows]) == 0
    state.end(rows[still], at.z[still], Status.stuck)
    return state.solution(energy)
