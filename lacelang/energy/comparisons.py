"""Atoms: an attribute's classes or value, compared with what is wanted of it.

Classes come from one log-softmax; a value f has a normal distribution around it, or a penalty.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import ClassVar

import torch
from attrs import field, frozen
from torch import Tensor

from lacelang.energy.node import Atom, Key, Quantity, Scope, require_positive
from lacelang.energy.numerics import LARGEST, log_interval, log_ndtr, nonnegative, softplus
from lacelang.errors import UsageError


def _as_set(classes: Iterable[int]) -> frozenset[int]:
    return frozenset(classes)


@frozen(eq=False)
class OfClasses(Atom):
    """An atom on some of an attribute's classes."""

    classes: frozenset[int] = field(converter=_as_set)

    def __attrs_post_init__(self) -> None:
        if not self.classes:
            raise UsageError(f"a condition on {self.attribute} names no class")


@frozen(eq=False)
class Surprisal(OfClasses):
    """The attribute has one of `classes`: -log of their total probability (LACE eq. 4)."""

    def asserted(self, scope: Scope) -> Tensor:
        """-log p, from the log-odds against the classes: never negative, exact for p near 1."""
        odds = log_odds_against(scope, self.attribute, self.classes)
        return scope.constant(0.0) if odds is None else softplus(odds)

    def denied(self, scope: Scope) -> Tensor:
        """-log (1 - p), as exact as `asserted`."""
        odds = log_odds_against(scope, self.attribute, self.classes)
        return scope.constant(LARGEST) if odds is None else softplus(-odds)


@frozen(eq=False)
class BernoulliKL(Atom):
    """The classifier gives the class the probability `degree`: KL(degree || p), zero there."""

    cls: int
    degree: float

    def __attrs_post_init__(self) -> None:
        if not 0.0 <= self.degree <= 1.0:
            raise UsageError(f"a degree lies between 0 and 1, {self.degree} does not")

    def asserted(self, scope: Scope) -> Tensor:
        """The Bernoulli divergence d log(d/p) + (1 - d) log((1 - d)/(1 - p))."""
        odds = log_odds_against(scope, self.attribute, frozenset({self.cls}))
        if odds is None:
            return scope.constant(0.0)
        d = self.degree
        negentropy = sum(x * math.log(x) for x in (d, 1.0 - d) if x > 0.0)
        return nonnegative(negentropy + d * softplus(odds) + (1.0 - d) * softplus(-odds))


@frozen(eq=False)
class LogitTempered(OfClasses):
    """The paper's temperature (LACE A.10): -f[c]/tau + logsumexp f, with centred logits.

    f[c] is the log-sum-exp of the wanted classes. Below tau = 1 it pushes on past certainty and
    falls below zero; so it has no complement.
    """

    temperature: float
    closed = False

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        require_positive("a temperature", self.temperature)

    def asserted(self, scope: Scope) -> Tensor:
        """See the class; centring makes it invariant to a shift of the logits."""
        log_p = scope.log_probabilities(self.attribute)
        mean = log_p.mean(dim=1)
        wanted = torch.logsumexp(log_p[:, sorted(self.classes)], dim=1) - mean
        return -wanted / self.temperature - mean


def log_odds_against(scope: Scope, attribute: Key, classes: frozenset[int]) -> Tensor | None:
    """log((1 - p) / p) (N,) of a set of classes; None if it holds every class."""
    log_p = scope.log_probabilities(attribute)
    count = log_p.shape[1]
    if not all(0 <= index < count for index in classes):
        raise UsageError(f"{attribute} has the classes 0 to {count - 1}, not {sorted(classes)}")
    others = [index for index in range(count) if index not in classes]
    if not others:
        return None
    return _log_sum(log_p, others) - _log_sum(log_p, sorted(classes))


def _log_sum(log_p: Tensor, classes: list[int]) -> Tensor:
    if len(classes) == 1:
        return log_p[:, classes[0]]
    return torch.logsumexp(log_p[:, classes], dim=1)


@frozen(eq=False)
class Own(Atom):
    """A term of the user's own: its output is an energy of at least 0, but for rounding."""

    def asserted(self, scope: Scope) -> Tensor:
        """The energy (N,)."""
        return nonnegative(scope.values(self.attribute))


def own_key(name: str) -> Quantity:
    """The key of the output of a term of the user's own."""
    return Quantity(f"term {name}")


NARROWEST = 1e-3
"""The least width of an interval in standard deviations; a narrower one is taken to be so wide."""


class Continuous(Atom):
    """An atom whose output is a value f (N,), with the truth spread around it by `sigma`.

    Values, bounds and sigma are in the attribute's unit.
    """

    sigma: float

    def __attrs_post_init__(self) -> None:
        require_positive(f"the spread of {self.attribute}", self.sigma)


@frozen(eq=False)
class NormalAt(Continuous):
    """The attribute is `value`: (value - f)^2 / 2 sigma^2 (LACE eq. 4)."""

    value: float
    sigma: float

    def asserted(self, scope: Scope) -> Tensor:
        """Half the squared distance in standard deviations."""
        distance = (scope.values(self.attribute) - self.value) / self.sigma
        return 0.5 * distance * distance


@frozen(eq=False)
class OneSided(Continuous):
    """The attribute is on one side of a bound: -log Phi(side (f - bound) / sigma)."""

    bound: float
    sigma: float
    side: ClassVar[int]

    def asserted(self, scope: Scope) -> Tensor:
        """-log of the probability of this side."""
        return self._beyond(scope, self.side)

    def denied(self, scope: Scope) -> Tensor:
        """-log of the probability of the other side."""
        return self._beyond(scope, -self.side)

    def _beyond(self, scope: Scope, side: int) -> Tensor:
        return -log_ndtr(side * (scope.values(self.attribute) - self.bound) / self.sigma)


@frozen(eq=False)
class NormalAbove(OneSided):
    """The attribute is `bound` or more."""

    side = 1


@frozen(eq=False)
class NormalBelow(OneSided):
    """The attribute is `bound` or less."""

    side = -1


@frozen(eq=False)
class NormalInside(Continuous):
    """The attribute is in low..high: -log(Phi((high - f)/sigma) - Phi((low - f)/sigma)).

    Ends that are less than `NARROWEST` sigma apart are moved apart.
    """

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


@frozen(eq=False)
class Penalty(Atom):
    """`weight`, 0 or more, times the value: no probability, and nothing that could be denied."""

    weight: float
    closed = False

    def __attrs_post_init__(self) -> None:
        if not 0.0 <= self.weight < math.inf:
            raise UsageError(f"the weight of a penalty is 0 or more, {self.weight} is not")

    def asserted(self, scope: Scope) -> Tensor:
        """The penalty (N,)."""
        return self.weight * scope.values(self.attribute)
