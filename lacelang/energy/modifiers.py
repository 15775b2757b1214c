"""What changes the strength of a whole condition: temperature, and the paper's negation."""

from __future__ import annotations

import math

from attrs import frozen
from torch import Tensor

from lacelang.energy.node import Node, Scope, Unary, require_positive
from lacelang.energy.numerics import deny_total
from lacelang.errors import UsageError


@frozen
class Tempered(Unary):
    """E / t for t > 0, the probability to the power 1/t: keeps E >= 0 and every law."""

    term: Node
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


@frozen
class Contrast(Unary):
    """The paper's negation, -lambda E (LACE sec. 3.3): unbounded below, so lambda must be small."""

    term: Node
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


def contrast(term: Node, strength: float) -> Node:
    """Negate the paper's way; twice with the same strength is the term itself."""
    if isinstance(term, Contrast) and term.strength == strength:
        return term.term
    return Contrast(term, strength)
