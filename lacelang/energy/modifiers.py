"""What changes the strength of a whole condition: temperature, and the paper's negation."""

from __future__ import annotations

import math

from attrs import field, frozen
from torch import Tensor

from lacelang.energy.node import Node, Scope
from lacelang.energy.numerics import deny_total
from lacelang.errors import UsageError


@frozen
class Tempered(Node):
    """E / t, the probability to the power 1/t: keeps E >= 0 and every law.

    Attributes:
        term: the condition.
        temperature: t > 0; below 1 stronger, above 1 weaker.

    Raises:
        UsageError: the temperature is not positive and finite.
    """

    term: Node
    temperature: float
    closed: bool = field(init=False, repr=False, eq=False)

    @closed.default
    def _closed(self) -> bool:
        return self.term.closed

    def __attrs_post_init__(self) -> None:
        if not (0.0 < self.temperature < math.inf and 1.0 / self.temperature < math.inf):
            raise UsageError(f"a temperature is positive, {self.temperature} is not")

    @property
    def children(self) -> tuple[Node, ...]:
        """The term."""
        return (self.term,)

    def energy(self, scope: Scope, holds: bool) -> Tensor:
        """See `Node`."""
        return scope.energy(self.term) / self.temperature if holds else self._denied(scope)

    def complement(self, scope: Scope, holds: bool) -> Tensor:
        """See `Node`."""
        if not holds:
            return scope.complement(self.term, False) / self.temperature
        energy, complement = scope.energy(self.term), scope.complement(self.term)
        return deny_total([energy], [complement], [1.0 / self.temperature])

    def _denied(self, scope: Scope) -> Tensor:
        energy, complement = scope.complement(self.term, False), scope.energy(self.term, False)
        return deny_total([energy], [complement], [1.0 / self.temperature])


@frozen
class Contrast(Node):
    """The paper's negation, -lambda E (LACE sec. 3.3): unbounded below, so lambda must be small.

    Attributes:
        term: what must not hold.
        strength: lambda > 0.

    Raises:
        UsageError: lambda is not positive and finite.
    """

    term: Node
    strength: float

    def __attrs_post_init__(self) -> None:
        if not 0.0 < self.strength < math.inf:
            raise UsageError(f"the strength of a contrast is positive, {self.strength} is not")

    @property
    def children(self) -> tuple[Node, ...]:
        """The term."""
        return (self.term,)

    @property
    def closed(self) -> bool:
        """False: the energy is negative."""
        return False

    def energy(self, scope: Scope, holds: bool) -> Tensor:
        """See `Node`.

        Raises:
            UsageError: it is denied.
        """
        if not holds:
            raise UsageError("a contrast has no complement")
        return -self.strength * scope.energy(self.term)

    def complement(self, scope: Scope, holds: bool) -> Tensor:
        """It has none.

        Raises:
            UsageError: always.
        """
        raise UsageError("a contrast has no complement")


def tempered(term: Node, temperature: float | None) -> Node:
    """Divide a term's energy by a temperature; None and 1 change nothing.

    Raises:
        UsageError: the temperature is not positive and finite.
    """
    return term if temperature is None or temperature == 1.0 else Tempered(term, temperature)


def contrast(term: Node, strength: float) -> Node:
    """Negate the paper's way; the contrast of a contrast of the same strength is the term itself.

    Raises:
        UsageError: the strength is not positive and finite.
    """
    if isinstance(term, Contrast) and term.strength == strength:
        return term.term
    return Contrast(term, strength)
