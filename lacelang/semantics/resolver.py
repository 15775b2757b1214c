"""Conditions of a program: each resolved once in a loop, and all together within a budget."""

from __future__ import annotations

from attrs import Factory, define, evolve, frozen

from lacelang import ir
from lacelang.semantics.conditions import Budget, Conditions
from lacelang.semantics.context import Binding, Definition, Frame
from lacelang.semantics.contradictions import warn_contradictions
from lacelang.semantics.drawn import refuse_compared_again
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
        self._unrolled = _Unrolled()

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
        inside = _apart(frame)
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


def _apart(frame: Frame) -> Frame:
    """Return the frame with bindings that note which of them are used from here on."""
    if not frame.bindings:
        return frame
    bindings = {name: evolve(each, used=False) for name, each in frame.bindings.items()}
    return evolve(frame, bindings=bindings)


@frozen
class _Repeated:
    """A condition as it is for some values of loop variables; `cost` is what it took to resolve."""

    predicate: ir.Predicate | None
    cost: int


@define
class _Unrolled:
    """The conditions in loops that are known already.

    A condition is the same in each turn of a loop that it uses no variable of.
    """

    _names: dict[object, tuple[str, ...]] = Factory(dict)
    _known: dict[object, _Repeated] = Factory(dict)

    def find(
        self, node: nodes.Predicate, model: ir.ModelSpec | None, frame: Frame
    ) -> _Repeated | None:
        """Return the condition if it is known; what it uses counts as used again."""
        place = _place(node, model)
        names = self._names.get(place)
        if not frame.bindings or names is None:
            return None
        found = self._known.get((place, _values(names, frame)))
        for name in names if found is not None else ():
            frame.bindings[name].used = True
        return found

    def note(
        self,
        node: nodes.Predicate,
        model: ir.ModelSpec | None,
        frame: Frame,
        inside: Frame,
        predicate: ir.Predicate | None,
        cost: int,
    ) -> None:
        """Keep a condition that was resolved `inside`, a frame apart from `frame`."""
        if not frame.bindings:
            return
        used = tuple(name for name, each in inside.bindings.items() if each.used)
        for name in used:
            frame.bindings[name].used = True
        # A loop over the variable of another depends on that by way of its frame.
        indirect = any(
            isinstance(each.argument, nodes.Word) and each.argument.name in each.frame.bindings
            for each in frame.bindings.values()
        )
        place = _place(node, model)
        if not indirect and self._names.setdefault(place, used) == used:
            self._known[place, _values(used, frame)] = _Repeated(predicate, cost)


def _place(node: nodes.Predicate, model: ir.ModelSpec | None) -> object:
    return id(node), "" if model is None else model.name


def _values(names: tuple[str, ...], frame: Frame) -> tuple[object, ...]:
    return tuple(frame.bindings[name].argument for name in names)
