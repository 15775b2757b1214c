"""What costs in proportion to a number that is no attribute: how far a sample has moved."""

from __future__ import annotations

import math

from attrs import frozen
from torch import Tensor

from lacelang.energy.node import Atom, Key, Scope
from lacelang.errors import UsageError


@frozen
class Penalty(Atom):
    """`weight` times the head's value: no probability, and nothing that could be denied.

    Attributes:
        attribute: name of the head, whose values are 0 or more.
        weight: of the penalty, 0 or more.

    Raises:
        UsageError: the weight is negative or not finite.
    """

    attribute: Key
    weight: float

    def __attrs_post_init__(self) -> None:
        if not 0.0 <= self.weight < math.inf:
            raise UsageError(f"the weight of a penalty is 0 or more, {self.weight} is not")

    @property
    def closed(self) -> bool:
        """False: it has no complement."""
        return False

    def asserted(self, scope: Scope) -> Tensor:
        """The penalty (N,)."""
        return self.weight * scope.values(self.attribute)

    def denied(self, scope: Scope) -> Tensor:
        """There is none.

        Raises:
            UsageError: always.
        """
        raise UsageError(f"a penalty on {self.attribute} has no complement")

    def reading(self, scope: Scope) -> Tensor:
        """The head's value (N,)."""
        return scope.values(self.attribute)
