"""Particles of many samples at once, each sample a population of its own."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lacelang.samplers.chain import Evaluate, step
from lacelang.samplers.streams import Streams


class ParticleSystem:
    """n populations of K particles: draws from e^(-b E) N(0, I), b the inverse temperature.

    They begin at prior draws z (n, K, d); `evaluate` evaluates (n K, d), and each population has a
    stream.
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
        ancestors = systematic(weights, self._streams.uniform(self._rows))
        self.at = self.at.only(ancestors.to(self.at.z.device))
        self.inverse_temperature = inverse_temperature
        return weights.mean(dim=1).log() + top[:, 0]

    def move(self, h: Tensor) -> tuple[Tensor, Tensor]:
        """Move every particle by a step of a chain (`chain.step`), of the size h (1,) at most.

        Returns whether they moved, and the probability of it, (n, K).
        """
        h = h.expand(len(self._owners))
        self.at, moved, likely = step(
            self._evaluate,
            self.at,
            self._streams,
            self._owners,
            h,
            inverse_temperature=self.inverse_temperature,
        )
        return moved.view(-1, self.size), likely.view(-1, self.size)

    def pick(self) -> Tensor:
        """One particle of each population at random, (n, d)."""
        chosen = (self._streams.uniform(self._rows) * self.size).long()
        chosen += _offsets(chosen, self.size)
        return self.at.z[chosen.to(self.at.z.device)]


def systematic(weights: Tensor, start: Tensor) -> Tensor:
    """Systematic resampling of each population (Carpenter et al. 1999).

    Of weights (n, K) and starts (n,), uniform in [0, 1), follow int64 (n K,), the row among all n K
    that each particle's place is taken by: particle j of a population is taken K w_j / sum(w) times
    on average. A population whose weights are all 0 stays as it is.
    """
    size = weights.shape[1]
    total = weights.cumsum(dim=1)
    places = torch.arange(size, device=weights.device, dtype=weights.dtype)
    points = (places + start[:, None]) / size * total[:, -1:]
    chosen = torch.searchsorted(total, points, right=True).clamp_max(size - 1)
    chosen = torch.where(total[:, -1:] > 0, chosen, places.long())
    return (chosen + _offsets(start, size)[:, None]).flatten()


def _offsets(rows: Tensor, size: int) -> Tensor:
    return size * torch.arange(len(rows), device=rows.device)
