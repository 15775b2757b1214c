"""What a node of the algebra is, and how a tree of them is evaluated once."""

from __future__ import annotations

import math
import os
from abc import ABCMeta, abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from threading import RLock
from typing import Any, SupportsIndex, TypeAlias
from weakref import WeakValueDictionary

import torch
from attrs import frozen
from torch import Tensor

from lacelang.energy.numerics import deny
from lacelang.errors import UsageError


@frozen
class Quantity:
    """Key of an output that belongs to no attribute: a number of the latent, or of its past."""

    name: str

    def __str__(self) -> str:
        return self.name


ATYPICALITY = Quantity("latent atypicality")
"""How far the latent is from draws of the prior, or how far beyond a bound on that."""

DISPLACEMENT = Quantity("latent displacement")
"""How far the latent is from where it began."""


@frozen
class Wanted:
    """Key of an attribute's output relative to the value that is wanted of each sample.

    Of a number it is the difference, of classes the logits with the wanted class first.
    """

    attribute: str

    def __str__(self) -> str:
        return f"wanted {self.attribute}"


Key: TypeAlias = str | Quantity | Wanted
"""The name of an attribute, or what else an output is of."""

# By `Key`: Any, because to a type checker a dict by names is not a Mapping by `Key`.
Outputs: TypeAlias = Mapping[Any, Tensor]
"""Attribute name -> logits (N, C) of a discrete attribute, values (N,) of a continuous one."""


class _Interned(ABCMeta):
    """Makes equal nodes one object (hash consing), which is kept while anybody has it.

    So a subtree that stands in several places is evaluated once, and to compare two trees, or to
    find one in a dict, costs nothing. Two nodes are equal if they are the same object.
    """

    def __call__(cls, /, *args: Any, **fields: Any) -> Any:
        made = super().__call__(*args, **fields)
        values = _values(made)
        if values is None:
            return made
        with _lock, suppress(TypeError):  # a value that has no hash
            return _NODES.setdefault((cls, *values), made)
        return made


_NODES: WeakValueDictionary[tuple[Any, ...], Node] = WeakValueDictionary()
_lock = RLock()


def _unlock() -> None:
    """Another thread may have held the lock when this process was forked."""
    global _lock
    _lock = RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_unlock)


def _values(node: object) -> tuple[Any, ...] | None:
    """What a node is made of, in order; None where the fields of its class do not say it all."""
    own = vars(type(node)).get("__attrs_attrs__")
    if own is None or not all(each.init and not each.kw_only for each in own):
        return None
    return tuple(getattr(node, each.name) for each in own)


class Node(metaclass=_Interned):
    """A condition as an energy in nats: -log of how probable it is that the sample meets it.

    Every node can be asserted (`holds=True`) or denied. Negation never takes the complement of a
    finished sum, but moves inwards: denying an `or` denies every disjunct, denying an `and` at
    least one term. An `or` with one of two disjuncts met has the energy log 2, not 0, whose
    complement would be log 2 as well.
    """

    @property
    def children(self) -> tuple[Node, ...]:
        """The nodes right below."""
        return ()

    @cached_property
    def closed(self) -> bool:
        """Whether the energy is at least 0 and has a complement."""
        return all(child.closed for child in self.children)

    @abstractmethod
    def evaluate(self, scope: Scope, holds: bool, complement: bool) -> Tensor:
        """The energy E (N,) of asserting or denying this node, or its complement -log(1 - e^-E).

        Both are computed so that neither loses digits where it is tiny.
        """

    def __call__(self, outputs: Outputs) -> Tensor:
        """Return the energy (N,); a UsageError where an output that it reads is missing."""
        return Scope(outputs).energy(self)

    def __reduce_ex__(self, protocol: SupportsIndex) -> Any:
        """Pickle and copy by the fields: what comes back is the node that is here already."""
        values = _values(self)
        return super().__reduce_ex__(protocol) if values is None else (type(self), values)


@frozen(eq=False)
class Unary(Node):
    """A node of one term."""

    term: Node

    @property
    def children(self) -> tuple[Node, ...]:
        """The term."""
        return (self.term,)


@frozen(eq=False)
class Joined(Node):
    """A node of several terms."""

    terms: tuple[Node, ...]

    @property
    def children(self) -> tuple[Node, ...]:
        """The terms."""
        return self.terms


@frozen(eq=False)
class Atom(Node):
    """A node that reads one output; its complement is its denial."""

    attribute: Key

    @abstractmethod
    def asserted(self, scope: Scope) -> Tensor:
        """The energy (N,) of the statement."""

    def denied(self, scope: Scope) -> Tensor:
        """The energy (N,) of its opposite, -log(1 - e^-asserted), if it is `closed`."""
        if not self.closed:
            raise UsageError(f"this condition on {self.attribute} has no complement")
        return deny(self.asserted(scope))

    def evaluate(self, scope: Scope, holds: bool, complement: bool) -> Tensor:
        """See `Node`."""
        return self.asserted(scope) if holds != complement else self.denied(scope)


class Scope:
    """One evaluation of a tree on outputs: shared subtrees and softmaxes are computed once."""

    def __init__(self, outputs: Outputs) -> None:
        self._outputs = outputs
        self._log_probabilities: dict[Key, Tensor] = {}
        self._found: dict[tuple[int, bool, bool], Tensor] = {}

    def energy(self, node: Node, holds: bool = True, complement: bool = False) -> Tensor:
        """The energy (N,) of asserting or denying `node`, or the complement of that energy."""
        key = (id(node), holds, complement)
        if key not in self._found:
            self._found[key] = node.evaluate(self, holds, complement)
        return self._found[key]

    def values(self, attribute: Key) -> Tensor:
        """The values (N,) of a continuous attribute."""
        return self._head(attribute, dimensions=1)

    def log_probabilities(self, attribute: Key) -> Tensor:
        """The log-softmax (N, C) of a discrete attribute's logits."""
        if attribute not in self._log_probabilities:
            logits = self._head(attribute, dimensions=2)
            self._log_probabilities[attribute] = torch.log_softmax(logits, dim=1)
        return self._log_probabilities[attribute]

    def constant(self, value: float) -> Tensor:
        """A constant (N,) like the outputs."""
        some = next(iter(self._outputs.values()))
        return some.new_full((some.shape[0],), value)

    def _head(self, attribute: Key, dimensions: int) -> Tensor:
        if attribute not in self._outputs:
            known = ", ".join(map(str, self._outputs)) or "none"
            raise UsageError(f"no classifier for the attribute {attribute}; there are: {known}")
        head = self._outputs[attribute]
        if head.ndim != dimensions:
            kind = "a continuous value" if dimensions == 1 else "logits of classes"
            raise UsageError(f"the classifier of {attribute} does not give {kind}")
        return head


def require_positive(what: str, value: float) -> None:
    """Raise a UsageError unless a value is positive and finite."""
    if not 0.0 < value < math.inf:
        raise UsageError(f"{what} is positive, {value} is not")
