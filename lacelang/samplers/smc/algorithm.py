"""Sequential Monte Carlo from the prior to the condition, with particles for each sample."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lacelang.samplers.chain import Evaluate, StepSizes, quarter_turn, step
from lacelang.samplers.driver import MANY_ROWS, Driver
from lacelang.samplers.problem import OnStep, Point, Target
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
    """Carry particles from the prior through e^(-b E), b from 0 to 1, and take one at random.

    At each inverse temperature b (Del Moral, Doucet and Jasra 2006) the particles of a sample

        are weighted by e^(-(b - b before) E) and resampled by those weights,
        then moved `moves` times by `mala`'s step at b.

    A pilot run (`temper`) finds the schedule and its step sizes from the energy and the seed alone.
    So nothing in a sample's own run is adapted, and the product of its mean weights is an unbiased
    estimate of Z = E_prior[e^-E]. Its logarithm is `extra["log_evidence"]`.

    Weighted by its estimate of Z a sample is exact. Unweighted, its law differs from the exact one
    in total variation by no more than half the mean of |estimate / Z - 1|.

    Returns:
        Samples, with `accepted` and `rejected` counting moves of particles. A sample none of whose
        particles has a finite energy is `non_finite`.

    Raises:
        UsageError: there are no streams.
    """
    streams = owned(streams, len(z0), "smc")
    run = Driver(target.condition, z0, on_step, target.args)
    if not len(z0):
        return run.result(log_evidence=z0.new_zeros(0).double())

    def evaluate(z: Tensor) -> Point:
        run.nfe += particles
        # The same for all samples, and for the pilot run.
        args = (each[:1].expand(len(z), *each.shape[1:]) for each in target.args)
        return Point(z, *run.energy.value_and_grad(z, *args))

    schedule = temper(evaluate, z0[:1], streams.pilot(1), ess, max_steps)
    run.nfe.zero_()  # the pilot run is no sample's
    owners = run.rows.repeat_interleave(particles)
    z = streams.normal(owners.tolist(), z0[owners]).view(len(z0), particles, -1)
    z[:, 0] = z0
    system = ParticleSystem(evaluate, z, streams)
    run.note(system.median_energy())
    log_evidence = torch.zeros(len(z0), dtype=torch.float64)
    for done, (inverse_temperature, h) in enumerate(schedule):
        log_evidence += system.reweight(inverse_temperature)
        for move in range(moves):
            moved, _ = system.move(h)
            run.accepted += moved.sum(dim=1)
            run.rejected += (~moved).sum(dim=1)
            run.tell((done + (move + 1) / moves) / len(schedule))
        run.note(system.median_energy())
    picked = system.pick()
    kept = run.drop(~log_evidence.isfinite().to(z0.device), z0, Status.non_finite)
    reached = system.inverse_temperature == 1.0
    if not reached:
        log_evidence.fill_(math.nan)
    status = Status.converged if reached else Status.max_steps
    return run.finish(picked[kept], status, log_evidence=log_evidence)


class ParticleSystem:
    """K particles for each of n samples, from e^(-b E) N(0, I), b the inverse temperature.

    They begin at prior draws z (n, K, d). `evaluate` evaluates (n K, d); each sample has a stream.
    """

    def __init__(self, evaluate: Evaluate, z: Tensor, streams: Streams) -> None:
        count, self.size, _ = z.shape
        self.inverse_temperature = 0.0
        self._evaluate = evaluate
        self._streams = streams
        self._rows = range(count)
        self._owners = [row for row in self._rows for _ in range(self.size)]
        self.at = evaluate(z.flatten(0, 1))

    def log_weights(self, inverse_temperature: float) -> Tensor:
        """log-weights (n, K) for a change of the inverse temperature; -inf where E is not finite.

        It and all that follows from weights is float64 on the CPU.
        """
        e = torch.where(self.at.finite, self.at.energy, math.inf).cpu().double()
        return ((self.inverse_temperature - inverse_temperature) * e).view(-1, self.size)

    def reweight(self, inverse_temperature: float) -> Tensor:
        """Reweight to another inverse temperature, and resample.

        Returns the log of the mean weight (n,): over the whole schedule, the exponential of their
        sum is an unbiased estimate of Z (Del Moral 2004).
        """
        logs = self.log_weights(inverse_temperature)
        top = logs.amax(dim=1, keepdim=True).clamp_min(-1e300)
        weights = torch.exp(logs - top)
        self.at = self._copies(systematic(weights, self._streams.uniform(self._rows)))
        self.inverse_temperature = inverse_temperature
        return weights.mean(dim=1).log() + top[:, 0]

    def move(self, h: Tensor) -> tuple[Tensor, Tensor]:
        """Move every particle by a step of a chain (`chain.step`), of the size h (1,) at most.

        Returns whether they moved, and the probability of it, (n, K).
        """
        h, b = h.expand(len(self._owners)), self.inverse_temperature
        self.at, moved, likely = step(
            self._evaluate, self.at, self._streams, self._owners, h, inverse_temperature=b
        )
        return moved.view(-1, self.size), likely.view(-1, self.size)

    def median_energy(self) -> Tensor:
        """The median energy of each sample's particles, (n,), which is +inf if half have none."""
        return (
            torch.where(self.at.finite, self.at.energy, math.inf).view(-1, self.size).median(1)[0]
        )

    def pick(self) -> Tensor:
        """One particle of each sample at random, (n, d)."""
        chosen = (self._streams.uniform(self._rows) * self.size).long()
        return self._copies(chosen[:, None]).z

    def _copies(self, chosen: Tensor) -> Point:
        """Particles by their numbers (n, m) among those of each sample."""
        rows = chosen + self.size * torch.arange(len(chosen))[:, None]
        return self.at.only(rows.flatten().to(self.at.z.device))


def systematic(weights: Tensor, start: Tensor) -> Tensor:
    """Systematic resampling of each sample's particles (Carpenter et al. 1999).

    From weights (n, K) and starts (n,), uniform in [0, 1), to the numbers (n, K) of the particles
    to copy: particle j of a sample is there K w_j / sum(w) times on average. Where all weights are
    0, every one is there once.
    """
    size = weights.shape[1]
    total = weights.cumsum(dim=1)
    places = torch.arange(size, dtype=weights.dtype)
    points = (places + start[:, None]) / size * total[:, -1:]
    chosen = torch.searchsorted(total, points, right=True).clamp_max(size - 1)
    return torch.where(total[:, -1:] > 0, chosen, places.long())


PILOT = MANY_ROWS
"""Particles of the pilot run."""

TUNING = 6
"""Moves with which the step size at an inverse temperature is found."""

ACCEPT = 0.6
_BISECTIONS = 60


def temper(
    evaluate: Evaluate, like: Tensor, streams: Streams, ess: float, max_steps: int
) -> list[tuple[float, Tensor]]:
    """Find inverse temperatures at which the share `ess` of the particles stays effective.

    They rise to 1 (Jasra et al. 2011), or after `max_steps` levels end below. Latents are of the
    kind of `like` (1, d). Returns the levels, each with the largest step size (1,) of its moves.
    """
    z = streams.normal([0] * PILOT, like.expand(PILOT, -1))
    system = ParticleSystem(evaluate, z[None], streams)
    widest = quarter_turn(1)
    h = torch.full((1,), widest)
    schedule: list[tuple[float, Tensor]] = []
    while system.inverse_temperature < 1.0 and len(schedule) < max_steps:
        system.reweight(_next_level(system, ess))
        sizes = StepSizes(widest, ACCEPT, h)
        for _ in range(TUNING):
            _, likely = system.move(sizes.trial)
            sizes.learn(likely.mean(dim=1))
        h = sizes.settled
        schedule.append((system.inverse_temperature, h))
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
    """(sum w)^2 / (K sum w^2); 1 where all weights are 0."""
    weights = torch.exp(log_weights - log_weights.max().clamp_min(-1e300))
    square = weights.square().sum()
    return float(weights.sum().square() / (square * weights.numel())) if square > 0 else 1.0
