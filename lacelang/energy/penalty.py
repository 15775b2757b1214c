"""What costs in proportion to a number that is no attribute: how far a sample has moved."""

from __future__ import annotations

import math

from attrs import frozen
from torch import Tensor

from lacelang.energy.node import Atom, Key, Scope
from lacelang.errors import UsageError


@frozen
class Penalty(Atom):
    """`weight`, 0 or more, times the output: no probability, and nothing that could be denied."""

    attribute: Key
    weight: float
    closed = False

    def __attrs_post_init__(self) -> None:
        if not 0.0 <= self.weight < math.inf:
            raise UsageError(f"the weight of a penalty is 0 or more, {self.weight} is not")

    def asserted(self, scope: Scope) -> Tensor:
        """The penalty (N,)."""
        return self.weight * scope.values(self.attribute)
