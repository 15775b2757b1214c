"""What loops repeat: conditions, each resolved once for the loop variables that it uses."""

from __future__ import annotations

from typing import get_args

from attrs import Factory, define, evolve, frozen

from lacelang import ir
from lacelang.semantics.context import Frame
from lacelang.syntax import nodes

_CONDITIONS = get_args(nodes.Predicate)


def size_of(statement: nodes.Statement) -> int:
    """Return how many nodes a statement has; those of its conditions are counted elsewhere.

    Those of a loop's body are, too.
    """
    size = 0
    stack: list[nodes.Node] = [statement]
    while stack:
        node = stack.pop()
        inner = node.values if isinstance(node, nodes.For) else node.parts
        stack += [part for part in inner if not isinstance(part, _CONDITIONS)]
        size += 1
    return size


def apart(frame: Frame) -> Frame:
    """Return the frame with bindings that note which of them are used from here on."""
    if not frame.bindings:
        return frame
    bindings = {name: evolve(each, used=False) for name, each in frame.bindings.items()}
    return evolve(frame, bindings=bindings)


@frozen
class Repeated:
    """A condition as it is for some values of loop variables; `cost` is what it took to resolve."""

    predicate: ir.Predicate | None
    cost: int


@define
class Unrolled:
    """The conditions in loops that are known already.

    A condition is the same in each turn of a loop that it uses no variable of.
    """

    _names: dict[object, tuple[str, ...]] = Factory(dict)
    _known: dict[object, Repeated] = Factory(dict)

    def find(
        self, node: nodes.Predicate, model: ir.ModelSpec | None, frame: Frame
    ) -> Repeated | None:
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
            self._known[place, _values(used, frame)] = Repeated(predicate, cost)


def _place(node: nodes.Predicate, model: ir.ModelSpec | None) -> object:
    return id(node), "" if model is None else model.name


def _values(names: tuple[str, ...], frame: Frame) -> tuple[object, ...]:
    return tuple(frame.bindings[name].argument for name in names)
