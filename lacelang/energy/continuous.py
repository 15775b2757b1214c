"""Atoms over a value f: a normal distribution around it, or a penalty in proportion to it."""

from __future__ import annotations

import math

import torch
from attrs import frozen
from torch import Tensor

from lacelang.energy.node import Atom, Key, Scope, require_positive
from lacelang.energy.numerics import deny, log_interval, log_ndtr
from lacelang.errors import UsageError

NARROWEST = 1e-3
"""The least width of an interval in standard deviations; a narrower one is taken to be so wide."""


class Continuous(Atom):
    """An atom whose output is a value f (N,), with the truth spread around it by `sigma`.

    Values, bounds and sigma are in the attribute's unit.
    """

    sigma: float

    def __attrs_post_init__(self) -> None:
        require_positive(f"the spread of {self.attribute}", self.sigma)


@frozen
class Equals(Continuous):
    """The attribute is `value`: (value - f)^2 / 2 sigma^2 (LACE eq. 4)."""

    attribute: Key
    value: float
    sigma: float

    def asserted(self, scope: Scope) -> Tensor:
        """Half the squared distance in standard deviations."""
        distance = (scope.values(self.attribute) - self.value) / self.sigma
        return 0.5 * distance * distance

    def denied(self, scope: Scope) -> Tensor:
        """High at the value, vanishing a few standard deviations away."""
        return deny(self.asserted(scope))


class OneSided(Continuous):
    """The attribute is on one side of a bound: -log Phi(side (f - bound) / sigma)."""

    bound: float
    side: int

    def asserted(self, scope: Scope) -> Tensor:
        """-log of the probability of this side."""
        return self._beyond(scope, self.side)

    def denied(self, scope: Scope) -> Tensor:
        """-log of the probability of the other side."""
        return self._beyond(scope, -self.side)

    def _beyond(self, scope: Scope, side: int) -> Tensor:
        return -log_ndtr(side * (scope.values(self.attribute) - self.bound) / self.sigma)


@frozen
class AtLeast(OneSided):
    """The attribute is `bound` or more."""

    attribute: Key
    bound: float
    sigma: float
    side = 1


@frozen
class AtMost(OneSided):
    """The attribute is `bound` or less."""

    attribute: Key
    bound: float
    sigma: float
    side = -1


@frozen
class Between(Continuous):
    """The attribute is in low..high: -log(Phi((high - f)/sigma) - Phi((low - f)/sigma)).

    Ends that are less than `NARROWEST` sigma apart are moved apart.
    """

    attribute: Key
    low: float
    high: float
    sigma: float

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        if not self.low < self.high:
            raise UsageError(f"{self.attribute} in {self.low}..{self.high} is empty")

    def asserted(self, scope: Scope) -> Tensor:
        """-log of the probability inside."""
        middle, half = self._sides
        distance = (scope.values(self.attribute) - middle) / self.sigma
        return -log_interval(distance, half / self.sigma)

    def denied(self, scope: Scope) -> Tensor:
        """-log of the probability of both sides outside."""
        middle, half = self._sides
        value = scope.values(self.attribute)
        below = log_ndtr((middle - half - value) / self.sigma)
        above = log_ndtr((value - middle - half) / self.sigma)
        # Not logaddexp, whose second derivative is NaN where the two are far apart.
        return -torch.logsumexp(torch.stack([below, above]), dim=0)

    @property
    def _sides(self) -> tuple[float, float]:
        """The middle, and half the width."""
        half = (self.high - self.low) / 2
        return (self.low + self.high) / 2, max(half, NARROWEST * self.sigma / 2)


@frozen
class Penalty(Atom):
    """`weight`, 0 or more, times the value: no probability, and nothing that could be denied."""

    attribute: Key
    weight: float
    closed = False

    def __attrs_post_init__(self) -> None:
        if not 0.0 <= self.weight < math.inf:
            raise UsageError(f"the weight of a penalty is 0 or more, {self.weight} is not")

    def asserted(self, scope: Scope) -> Tensor:
        """The penalty (N,)."""
        return self.weight * scope.values(self.attribute)
