"""And, or, not: the connectives, and the rules by which trees of them are put together."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from attrs import frozen
from torch import Tensor

from lacelang.energy.node import Node, Scope, Unary
from lacelang.energy.numerics import LARGEST, deny_total, mixture, total
from lacelang.errors import UsageError


class Weighted(Node):
    """A node of several terms, each with a weight w_k > 0."""

    terms: tuple[Node, ...]
    weights: tuple[float, ...]

    def __attrs_post_init__(self) -> None:
        positive = all(0.0 < weight < math.inf for weight in self.weights)
        if len(self.weights) != len(self.terms) or not positive:
            raise UsageError("every term needs a positive weight")

    @property
    def children(self) -> tuple[Node, ...]:
        """The terms."""
        return self.terms


@frozen
class And(Weighted):
    """All terms hold: sum of w_k E_k (LACE sec. 3.3). Without terms it asks for nothing.

    Denied, at least one term fails: 1 - product of p_k^w_k.
    """

    terms: tuple[Node, ...]
    weights: tuple[float, ...]

    def evaluate(self, scope: Scope, holds: bool, complement: bool) -> Tensor:
        """See `Node`."""
        if not self.terms:
            return scope.constant(0.0 if holds != complement else LARGEST)
        # A term's energy if it is asserted, its complement if it is denied: -log p_k either way.
        energies = [scope.energy(term, holds, not holds) for term in self.terms]
        if holds != complement:
            return total(energies, self.weights)
        complements = [scope.energy(term, holds, holds) for term in self.terms]
        return deny_total(energies, complements, self.weights)


@frozen
class Or(Weighted):
    """At least one term holds: -log of sum of pi_k e^-E_k, pi normalised (LACE sec. 3.3).

    The weights are prior odds. Denied, every term is denied, whatever its odds.
    """

    terms: tuple[Node, ...]
    weights: tuple[float, ...]

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        if not self.terms:
            raise UsageError("an `or` needs a term")

    def evaluate(self, scope: Scope, holds: bool, complement: bool) -> Tensor:
        """See `Node`."""
        found = [scope.energy(term, holds, complement) for term in self.terms]
        if holds:
            return mixture(found, self.weights)
        ones = (1.0,) * len(self.terms)
        if not complement:
            return total(found, ones)
        return deny_total([scope.energy(term, False) for term in self.terms], found, ones)


@frozen
class Balanced(Or):
    """An `or` whose odds make up for how rare each disjunct is under the prior.

    Its mixture shows the disjuncts in the odds `written`: pi_k is `written` over the disjunct's
    probability, so that pi_k Z_k goes as `written`.
    """

    written: tuple[float, ...]


@frozen
class Not(Unary):
    """The term does not hold: -log(1 - e^-E), carried inwards (see `Node`).

    Raises:
        UsageError: the term's energy may be negative and has no complement.
    """

    term: Node

    def __attrs_post_init__(self) -> None:
        if not self.term.closed:
            raise UsageError(
                "the complement of a contrast or of `temp logit(t)` is not defined; "
                "use `temp t`, or the complement negation throughout"
            )

    def evaluate(self, scope: Scope, holds: bool, complement: bool) -> Tensor:
        """See `Node`."""
        return scope.energy(self.term, not holds, complement)


def conjunction(terms: Iterable[Node], weights: Sequence[float] | None = None) -> Node:
    """Join terms by `and`: weight 0 removes a term, nested ones are merged, a lone one is itself.

    Raises:
        UsageError: a weight is negative or not finite, or there are not as many as terms.
    """
    kept: list[tuple[Node, float]] = []
    for term, weight in _kept(tuple(terms), weights):
        if isinstance(term, And):
            inner = zip(term.terms, term.weights, strict=True)
            kept += [(each, weight * own) for each, own in inner]
        else:
            kept.append((term, weight))
    if len(kept) == 1 and kept[0][1] == 1.0:
        return kept[0][0]
    return And(tuple(term for term, _ in kept), tuple(weight for _, weight in kept))


def disjunction(terms: Iterable[Node], weights: Sequence[float] | None = None) -> Node:
    """Join terms by `or`: weight 0 removes a term, nested ones of weight 1 are merged.

    An `or` of which nothing is left asks for nothing, as an empty `and` does.

    Raises:
        UsageError: a weight is negative or not finite, or there are not as many as terms.
    """
    kept_terms: list[Node] = []
    kept_weights: list[float] = []
    for term, weight in _kept(tuple(terms), weights):
        merged = isinstance(term, Or) and weight == 1.0
        kept_terms.extend(term.children if merged else (term,))
        kept_weights.extend(term.weights if merged and isinstance(term, Or) else (weight,))
    if not kept_terms:
        return And((), ())
    return kept_terms[0] if len(kept_terms) == 1 else Or(tuple(kept_terms), tuple(kept_weights))


def negation(term: Node) -> Node:
    """Negate by the complement; `not not p` is p itself.

    Raises:
        UsageError: the term's energy may be negative.
    """
    return term.term if isinstance(term, Not) else Not(term)


def _kept(terms: tuple[Node, ...], weights: Sequence[float] | None) -> Iterable[tuple[Node, float]]:
    weights = (1.0,) * len(terms) if weights is None else tuple(weights)
    if len(weights) != len(terms):
        raise UsageError(f"{len(terms)} terms have {len(weights)} weights")
    for term, weight in zip(terms, weights, strict=True):
        if not 0.0 <= weight < math.inf:
            raise UsageError(f"a weight is 0 or more, {weight} is not")
        if weight > 0.0:
            yield term, weight
