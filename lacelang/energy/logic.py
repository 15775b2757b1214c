"""And, or, not and temperatures: how trees of nodes are put together, walked and changed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache

from attrs import evolve, frozen
from torch import Tensor

from lacelang.energy.node import Atom, Joined, Node, Scope, Unary, require_positive
from lacelang.energy.numerics import LARGEST, deny_total, mixture, total
from lacelang.errors import UsageError


@frozen(eq=False)
class Weighted(Joined):
    """A node of several terms, each with a weight w_k > 0."""

    weights: tuple[float, ...]

    def __attrs_post_init__(self) -> None:
        positive = all(0.0 < weight < math.inf for weight in self.weights)
        if len(self.weights) != len(self.terms) or not positive:
            raise UsageError("every term needs a positive weight")

    @property
    def weighted(self) -> tuple[tuple[Node, float], ...]:
        """The terms with their weights."""
        return tuple(zip(self.terms, self.weights, strict=True))


@frozen(eq=False)
class And(Weighted):
    """All terms hold: sum of w_k E_k (LACE sec. 3.3). Without terms it asks for nothing.

    Denied, at least one term fails: 1 - product of p_k^w_k.
    """

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


@frozen(eq=False)
class Or(Weighted):
    """At least one term holds: -log of sum of pi_k e^-E_k, pi normalised (LACE sec. 3.3).

    The weights are prior odds. Denied, every term is denied, whatever its odds.
    """

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


@frozen(eq=False)
class Balanced(Or):
    """An `or` whose odds make up for how rare each disjunct is under the prior.

    Its mixture shows the disjuncts in the odds `written`: pi_k is `written` over the disjunct's
    probability, so that pi_k Z_k goes as `written`.
    """

    written: tuple[float, ...]


@frozen(eq=False)
class Not(Unary):
    """The term does not hold: -log(1 - e^-E), carried inwards (see `Node`).

    Raises:
        UsageError: the term's energy may be negative and has no complement.
    """

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
        inner = term.weighted if isinstance(term, And) else ((term, 1.0),)
        kept += [(each, weight * own) for each, own in inner]
    if len(kept) == 1 and kept[0][1] == 1.0:
        return kept[0][0]
    return And(tuple(term for term, _ in kept), tuple(weight for _, weight in kept))


def relaxed(node: Node, slack: float) -> Node:
    """Return a condition whose outermost terms need no less energy than `slack` nats; see `Enough`.

    The weights stay. Terms that are not `closed` stay too: their energy is of no probability, and
    no value of it is enough. A slack of 0 changes nothing.
    """
    if not slack:
        return node
    weighted = node.weighted if isinstance(node, And) else ((node, 1.0),)
    terms = [Enough(term, slack) if term.closed else term for term, _ in weighted]
    return conjunction(terms, [weight for _, weight in weighted])


def disjunction(terms: Iterable[Node], weights: Sequence[float] | None = None) -> Node:
    """Join terms by `or`: weight 0 removes a term, nested ones of weight 1 are merged.

    An `or` of which nothing is left asks for nothing, as an empty `and` does.

    Raises:
        UsageError: a weight is negative or not finite, or there are not as many as terms.
    """
    kept: list[tuple[Node, float]] = []
    for term, weight in _kept(tuple(terms), weights):
        kept += term.weighted if isinstance(term, Or) and weight == 1.0 else ((term, weight),)
    if not kept:
        return And((), ())
    if len(kept) == 1:
        return kept[0][0]
    return Or(tuple(term for term, _ in kept), tuple(weight for _, weight in kept))


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


@frozen(eq=False)
class Tempered(Unary):
    """E / t for t > 0, the probability to the power 1/t: keeps E >= 0 and every law."""

    temperature: float

    def __attrs_post_init__(self) -> None:
        require_positive("a temperature", self.temperature)
        if math.isinf(1.0 / self.temperature):
            raise UsageError(f"a temperature is positive, {self.temperature} is not")

    def evaluate(self, scope: Scope, holds: bool, complement: bool) -> Tensor:
        """See `Node`."""
        energy = scope.energy(self.term, holds, not holds)  # as the one term of an `And`
        if holds != complement:
            return energy / self.temperature
        other = scope.energy(self.term, holds, holds)
        return deny_total([energy], [other], [1.0 / self.temperature])


@frozen(eq=False)
class Enough(Unary):
    """Nothing where the term's energy E is at most `slack`, and x^2 / (x + slack) at E = slack + x.

    A gradient flow that has no prior term stops where the term holds well enough. It pulls a
    sample towards certainty no longer, and all samples of a condition towards one another.
    """

    slack: float
    closed = False

    def __attrs_post_init__(self) -> None:
        require_positive("a slack", self.slack)

    def evaluate(self, scope: Scope, holds: bool, complement: bool) -> Tensor:
        """See `Node`."""
        if holds == complement:
            raise UsageError("what holds well enough has no complement")
        beyond = (scope.energy(self.term) - self.slack).clamp_min(0.0)
        return beyond * (beyond / (beyond + self.slack))


@frozen(eq=False)
class Contrast(Unary):
    """The paper's negation, -lambda E (LACE sec. 3.3): unbounded below, so lambda must be small."""

    strength: float
    closed = False

    def __attrs_post_init__(self) -> None:
        require_positive("the strength of a contrast", self.strength)

    def evaluate(self, scope: Scope, holds: bool, complement: bool) -> Tensor:
        """See `Node`; there is no denial and no complement."""
        if complement or not holds:
            raise UsageError("a contrast has no complement")
        return -self.strength * scope.energy(self.term)


def tempered(term: Node, temperature: float | None) -> Node:
    """Divide a term's energy by a temperature; None and 1 change nothing."""
    return term if temperature is None or temperature == 1.0 else Tempered(term, temperature)


def atoms(node: Node) -> tuple[Atom, ...]:
    """List the different atoms of a tree from left to right."""
    found: dict[Node, None] = {}  # equal nodes are one
    left = [node]
    while left:
        node = left.pop()
        if node not in found:
            found[node] = None
            left.extend(reversed(node.children))
    return tuple(each for each in found if isinstance(each, Atom))


def map_children(node: Node, change: Callable[[Node], Node]) -> Node:
    """Return the node with each of the nodes right below it changed, from left to right."""
    if isinstance(node, Joined):
        return evolve(node, terms=tuple(map(change, node.terms)))
    if isinstance(node, Unary):
        return evolve(node, term=change(node.term))
    return node


def map_atoms(node: Node, change: Callable[[Atom], Node]) -> Node:
    """Return the tree with every atom changed, from left to right, as often as it stands there."""
    if isinstance(node, Atom):
        return change(node)
    return map_children(node, lambda below: map_atoms(below, change))


def balanced(node: Node) -> tuple[Balanced, ...]:
    """List the balanced `or`s that a tree asserts, each once, from left to right.

    What a `not` stands before asks for no disjunct: a denied `or` denies them all.
    """
    found: dict[Node, None] = {}
    left = [node]
    while left:
        node = left.pop()
        if node not in found:
            found[node] = None
            left.extend(reversed(node.children) if isinstance(node, And | Or | Tempered) else ())
    return tuple(each for each in found if isinstance(each, Balanced))


def with_components(node: Node, disjuncts: Mapping[Balanced, int]) -> Node:
    """Return a condition that asks of every balanced `or` for one of its disjuncts alone.

    `disjuncts` says which one, of some of `balanced(node)`; the others stay whole.
    """

    def change(node: Node) -> Node:
        if isinstance(node, Balanced) and node in disjuncts:
            return once(node.terms[disjuncts[node]])
        if isinstance(node, And | Or | Tempered):
            return map_children(node, once)
        return node

    once = cache(change)
    return once(node)
