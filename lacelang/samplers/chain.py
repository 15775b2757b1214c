"""Metropolis chains by leapfrog steps, one a sample: warm-up with adaptation, then as they are."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from lacelang.samplers.driver import Driver
from lacelang.samplers.problem import OnStep, Point, Target
from lacelang.samplers.solution import Solution, Status
from lacelang.samplers.streams import Streams, owned

FEW = 10
"""Rejections in a row that are no chance: at the usual rates, 1 chain in 10 000 has as many."""

Evaluate = Callable[[Tensor], Point]
"""Evaluate latents (n, d)."""


def step(
    evaluate: Evaluate,
    at: Point,
    streams: Streams,
    owners: list[int],
    h: Tensor,
    leapfrogs: int = 1,
    inverse_temperature: float = 1.0,
) -> tuple[Point, Tensor, Tensor]:
    """One step of n chains that leaves e^(-inverse_temperature E) N(0, I) invariant.

    The step size is drawn anew, uniform between 0 and h (advised by Neal 2011, sec. 5.4.2): a chain
    that has come to where its gradients are too steep for h would otherwise stay there for long.

    Args:
        owners: for each chain, the number of its stream.
        h: largest step sizes (n,), on the CPU as all numbers that control chains.

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
    a rotation, Beskos et al. 2011). A trajectory is at most a `quarter_turn` long.

    With one leapfrog step it is the Metropolis-adjusted Langevin algorithm. With the Langevin step
    delta = h^2 / 2 (as in `langevin`), that proposes

        z' = ((2 - delta) z - 2 delta grad E(z) + sqrt(8 delta) eps) / (2 + delta)

    which takes the prior's drift at the middle of the step (pCNL of Cotter et al. 2013, sec. 4).

    Each chain adapts its own step size in its warm-up and then keeps it, so that the target is the
    stationary law of what follows.

    Returns:
        The last states. A proposal where energy or gradient is not finite is rejected. A chain that
        cannot start is `non_finite`; one that accepts nothing after its warm-up, `stuck`.

    Raises:
        UsageError: there are no streams.
    """
    streams = owned(streams, len(z0), "a Metropolis chain")
    run = Driver(target.condition, z0, on_step, target.args)
    at = run.evaluate_finite(z0)
    run.note(at.energy)
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
        run.note(at.energy)
    # A short chain may reject everything by chance: its warm-up counts too.
    still = (since if steps >= FEW else run.accepted[run.rows]) == 0
    moving = run.drop(still, at.z, Status.stuck)
    return run.finish(at.z[moving], Status.converged)


def quarter_turn(steps: int) -> float:
    """The step size of which `steps` make a rotation by 90 degrees.

    Where E is flat, that trajectory ends in a fresh draw from the prior; a longer one turns back.
    """
    return 2.0 * math.tan(math.pi / (4 * steps))


def leapfrog(
    evaluate: Evaluate,
    at: Point,
    velocity: Tensor,
    h: Tensor,
    steps: int = 1,
    inverse_temperature: float = 1.0,
) -> tuple[Point, Tensor, Tensor]:
    """Move along the dynamics of H(z, v) = inverse_temperature E(z) + ||z||^2 / 2 + ||v||^2 / 2.

    Each step is half a kick, a rotation, half a kick:

        v <- v - h/2 inverse_temperature grad E(z)
        z, v <- c z + s v, c v - s z,    c = (1 - h^2/4) / (1 + h^2/4),  s = h / (1 + h^2/4)
        v <- v - h/2 inverse_temperature grad E(z)

    The rotation is the Crank-Nicolson step of the prior's own dynamics and conserves H's last two
    terms, so that the error depends on the curvature of E and not on the dimension (Beskos et al.
    2011; Cotter et al. 2013).

    Step sizes h are (n,), velocities (n, d). Returns the end points, their velocities, and the rise
    of H (n,): +inf where a number was not finite.
    """
    h = h.to(at.z)[:, None]
    quarter = 0.25 * h * h
    cos, sin = (1.0 - quarter) / (1.0 + quarter), h / (1.0 + quarter)
    half = 0.5 * inverse_temperature * h
    start = at.energy
    kinetic = at.z.new_zeros(len(at.z))
    for _ in range(steps):
        velocity, rise = _kick(velocity, half * at.gradient)
        kinetic = kinetic + rise
        z, velocity = cos * at.z + sin * velocity, cos * velocity - sin * at.z
        at = evaluate(z)
        velocity, rise = _kick(velocity, half * at.gradient)
        kinetic = kinetic + rise
    total = inverse_temperature * (at.energy - start) + kinetic
    return at, velocity, torch.where(total.isfinite(), total, math.inf)


def _kick(velocity: Tensor, push: Tensor) -> tuple[Tensor, Tensor]:
    """Return velocity - push, and how ||velocity||^2 / 2 changes, free of cancellation."""
    return velocity - push, (push * (0.5 * push - velocity)).sum(dim=1)


# The constants of Hoffman and Gelman 2014, section 3.2.1.
GAMMA, T0, KAPPA = 0.05, 10, 0.75


class StepSizes:
    """Dual averaging of log step sizes (Nesterov 2009; Hoffman and Gelman 2014, algorithm 5).

    The search starts at `start` (n,), on the CPU, and aims at the acceptance rate `target`.

    Attributes:
        trial: step sizes (n,) to try next.
        settled: those that the trials have settled on.
    """

    def __init__(self, widest: float, target: float, start: Tensor) -> None:
        self.trial = self.settled = start
        self._widest, self._target = math.log(widest), target
        self._time = 0
        self._start = self._mean = start.double().log()
        self._shortfall = torch.zeros_like(self._start)

    def learn(self, acceptance: Tensor) -> None:
        """Update from the acceptance probabilities (n,) of steps of the sizes on trial."""
        self._time += 1
        t = self._time
        share = 1.0 / (t + T0)
        miss = self._target - acceptance
        self._shortfall = (1.0 - share) * self._shortfall + share * miss
        trial = self._start - math.sqrt(t) / GAMMA * self._shortfall
        trial = trial.clamp_max(self._widest)
        weight = t**-KAPPA
        self._mean = weight * trial + (1.0 - weight) * self._mean
        # In float32: the last bits of an exponential in float64 may depend on the batch.
        self.trial, self.settled = trial.exp().float(), self._mean.exp().float()
