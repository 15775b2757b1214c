"""What a node of the algebra is, and how a tree of them is evaluated once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, TypeAlias

import torch
from attrs import frozen
from torch import Tensor

from lacelang.errors import UsageError


@frozen
class Quantity:
    """Key of an output that is no attribute's: a number of the latent itself, or of its past."""

    name: str

    def __str__(self) -> str:
        return self.name


ATYPICALITY = Quantity("latent atypicality")
"""How far the latent is from where draws of the prior lie, or how far beyond a bound on that."""

DISPLACEMENT = Quantity("latent displacement")
"""How far the latent is from where it began."""

Key: TypeAlias = str | Quantity
"""The name of an attribute, or what else an output is of."""

# Of `Key`s: Any, because a dict by names is no Mapping by `Key` to a type checker.
Outputs: TypeAlias = Mapping[Any, Tensor]
"""Attribute name -> logits (N, C) of a discrete attribute, values (N,) of a continuous one."""


class Node(ABC):
    """A condition as an energy in nats: -log of how probable it is that the sample meets it.

    Every node can be asserted (`holds=True`) or denied. Negation never takes the complement of a
    finished sum: it moves inwards, denying an `or` denies every arm and denying an `and` denies at
    least one term. So `not (a or b)` wants neither, although the energy of an `or` with one arm
    met is log 2 and not 0, of which 1 - e^-E would make nothing but a coin toss.
    """

    @property
    def children(self) -> tuple[Node, ...]:
        """The nodes right below."""
        return ()

    @property
    def closed(self) -> bool:
        """Whether the energy is at least 0 and has a complement."""
        return True

    @abstractmethod
    def energy(self, scope: Scope, holds: bool) -> Tensor:
        """The energy (N,) of asserting or denying this node."""

    @abstractmethod
    def complement(self, scope: Scope, holds: bool) -> Tensor:
        """-log(1 - e^-energy) (N,), computed so that neither loses digits where it is tiny."""

    def __call__(self, outputs: Outputs) -> Tensor:
        """Return the energy (N,) for head outputs.

        Raises:
            UsageError: an attribute of the tree has no head among the outputs.
        """
        return Scope(outputs).energy(self)


class Atom(Node):
    """A node that reads one attribute."""

    attribute: Key

    @abstractmethod
    def asserted(self, scope: Scope) -> Tensor:
        """The energy (N,) of the statement."""

    @abstractmethod
    def denied(self, scope: Scope) -> Tensor:
        """The energy (N,) of its opposite, -log(1 - e^-asserted)."""

    @abstractmethod
    def reading(self, scope: Scope) -> Tensor:
        """What a report shows (N,): a probability, or a value in the attribute's unit."""

    def energy(self, scope: Scope, holds: bool) -> Tensor:
        """See `Node`."""
        return self.asserted(scope) if holds else self.denied(scope)

    def complement(self, scope: Scope, holds: bool) -> Tensor:
        """See `Node`."""
        return self.energy(scope, not holds)


class Scope:
    """One evaluation of a tree: shared subtrees and softmaxes are computed once.

    Args:
        outputs: by attribute, logits (N, C) or values (N,).
    """

    def __init__(self, outputs: Outputs) -> None:
        self._outputs = outputs
        self._log_probabilities: dict[Key, Tensor] = {}
        self._energies: dict[tuple[int, bool], Tensor] = {}
        self._complements: dict[tuple[int, bool], Tensor] = {}

    def energy(self, node: Node, holds: bool = True) -> Tensor:
        """The energy (N,) of asserting or denying `node`."""
        key = (id(node), holds)
        if key not in self._energies:
            self._energies[key] = node.energy(self, holds)
        return self._energies[key]

    def complement(self, node: Node, holds: bool = True) -> Tensor:
        """The complement (N,) of `energy(node, holds)`."""
        key = (id(node), holds)
        if key not in self._complements:
            self._complements[key] = node.complement(self, holds)
        return self._complements[key]

    def values(self, attribute: Key) -> Tensor:
        """The values (N,) of a continuous attribute.

        Raises:
            UsageError: there is no such head, or it has classes.
        """
        return self._head(attribute, dimensions=1)

    def log_probabilities(self, attribute: Key) -> Tensor:
        """The log-softmax (N, C) of a discrete attribute's logits.

        Raises:
            UsageError: there is no such head, or it has no classes.
        """
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
