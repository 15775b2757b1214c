"""The conditions of a program, each resolved once in a loop, and all together within a budget."""

from __future__ import annotations

from attrs import evolve

from lacelang import ir
from lacelang.semantics.conditions import Budget, Conditions
from lacelang.semantics.context import Binding, Definition, Frame
from lacelang.semantics.contradictions import warn_contradictions
from lacelang.semantics.drawn import refuse_compared_again
from lacelang.semantics.unrolled import Unrolled, apart
from lacelang.syntax import nodes

_REPEATED = 3
"""How many conditions that are known already take as long as one that is not."""


class Resolver:
    """Resolves the conditions of a program of `size` tokens.

    Attributes:
        too_large: whether they have more parts than a program may have, which has been reported.
    """

    def __init__(self, size: int) -> None:
        self.too_large = False
        self._budget = Budget.of(size)
        self._unrolled = Unrolled()

    def resolved(
        self,
        node: nodes.Predicate,
        model: ir.ModelSpec | None,
        frame: Frame,
        statement: str | None = None,
    ) -> ir.Predicate | None:
        """Return the checked condition; None if it is wrong, which has been reported.

        `statement` is the kind of a statement that draws no samples.
        """
        before = self._budget.left
        repeated = self._unrolled.find(node, model, frame)
        if repeated is not None:
            self._budget.left -= -(-repeated.cost // _REPEATED)
            self._stop_if_too_large(node, frame)
            return repeated.predicate
        inside = apart(frame)
        predicate = Conditions(model, self._budget, statement).resolve(node, inside)
        if predicate is not None and refuse_compared_again(predicate, frame):
            predicate = None
        if predicate is not None and self._budget.lints:
            warn_contradictions(predicate, frame)
        self._unrolled.note(node, model, frame, inside, predicate, before - self._budget.left)
        self._stop_if_too_large(node, frame)
        return predicate

    def check_alone(self, definition: Definition, model: ir.ModelSpec | None, frame: Frame) -> None:
        """Report what is wrong with a definition that no statement uses."""
        definition.seen = True
        body, module = definition.body, definition.module
        if definition.circular or isinstance(body, nodes.Quantity):
            return
        if isinstance(body, nodes.Reference) and not definition.parameters:
            other = module.find(body.name.name)
            if other is not None and isinstance(other.body, nodes.Quantity):
                return
        here = evolve(frame, module=module)
        bindings = {p.name: Binding(None, here) for p in definition.parameters}
        Conditions(model, self._budget).resolve(body, evolve(here, bindings=bindings))
        self._stop_if_too_large(body, here)

    def _stop_if_too_large(self, node: nodes.Node, frame: Frame) -> None:
        """Report the condition with which those of the program have become too large."""
        if self._budget.left < 0 and not self.too_large:
            self.too_large = True
            message = "with this, the conditions of the program have more than"
            what = f"{self._budget.most} comparisons, names and brackets"
            how = "with definitions expanded and loops unrolled"
            hint = "use shorter conditions, or loop over fewer values"
            frame.say("LACE307", f"{message} {what}, {how}", node, hint)
