"""Atoms over the classes of a discrete attribute, from one log-softmax."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from attrs import field, frozen
from torch import Tensor

from lacelang.energy.node import Atom, Scope, require_positive
from lacelang.energy.numerics import LARGEST, deny, nonnegative, softplus
from lacelang.errors import UsageError


def _as_set(classes: Iterable[int]) -> frozenset[int]:
    return frozenset(classes)


@frozen
class Discrete(Atom):
    """The attribute has one of `classes`: -log of their total probability (LACE eq. 4)."""

    attribute: str
    classes: frozenset[int] = field(converter=_as_set)

    def __attrs_post_init__(self) -> None:
        _require_classes(self.attribute, self.classes)

    def asserted(self, scope: Scope) -> Tensor:
        """-log p, from the log-odds against the classes: never negative, exact for p near 1."""
        odds = log_odds_against(scope, self.attribute, self.classes)
        return scope.constant(0.0) if odds is None else softplus(odds)

    def denied(self, scope: Scope) -> Tensor:
        """-log (1 - p), as exact as `asserted`."""
        odds = log_odds_against(scope, self.attribute, self.classes)
        return scope.constant(LARGEST) if odds is None else softplus(-odds)


@frozen
class Degree(Atom):
    """The classifier gives the class the probability `degree`: KL(degree || p), zero there."""

    attribute: str
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

    def denied(self, scope: Scope) -> Tensor:
        """Any other degree."""
        return deny(self.asserted(scope))


@frozen
class LogitTempered(Atom):
    """The paper's temperature (LACE A.10): -f[c]/tau + logsumexp f, with centred logits.

    f[c] is the log-sum-exp of the wanted classes. Below tau = 1 it pushes on past certainty and
    falls below zero; so it has no complement.
    """

    attribute: str
    classes: frozenset[int] = field(converter=_as_set)
    temperature: float
    closed = False

    def __attrs_post_init__(self) -> None:
        _require_classes(self.attribute, self.classes)
        require_positive("a temperature", self.temperature)

    def asserted(self, scope: Scope) -> Tensor:
        """See the class; centring makes it invariant to a shift of the logits."""
        log_p = scope.log_probabilities(self.attribute)
        mean = log_p.mean(dim=1)
        wanted = torch.logsumexp(log_p[:, sorted(self.classes)], dim=1) - mean
        return -wanted / self.temperature - mean


def log_odds_against(scope: Scope, attribute: str, classes: frozenset[int]) -> Tensor | None:
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


def _require_classes(attribute: str, classes: frozenset[int]) -> None:
    if not classes:
        raise UsageError(f"a condition on {attribute} names no class")
