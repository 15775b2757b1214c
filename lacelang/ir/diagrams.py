"""Boolean formulas as decision diagrams: which values of which attributes satisfy a condition.

A formula asks one attribute after another where its value lies, and branches. Such a multi-valued
decision diagram (Srinivasan et al. 1990), ordered and reduced (Bryant 1986), is the same for all
formulas that mean the same, and no two of its paths can hold together: the probability of the
formula is the sum of those of its paths, and that of a path the product of its branches'.

The values of an attribute of classes are divided by the sets of classes that the condition names,
those of a number by its bounds. What is no such set of values is an event of its own, which holds
or fails: see `is_event`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from typing import TypeAlias

from attrs import evolve, frozen

from lacelang.ir.cells import Key, Variable, variable_of
from lacelang.ir.comparisons import AtLeast, AtMost, Between, Comparison, Discrete, Predicate
from lacelang.ir.conditions import (
    And,
    ConditionOptions,
    Group,
    Not,
    Or,
    Xor,
    simplified,
    temperatures,
)

MOST_STEPS = 200_000
"""Branches that are looked at while a diagram is made."""

MOST_VARIABLES = 200
"""Attributes and events of one formula."""

FALSE, TRUE = 0, 1
"""Ends of a path. What a formula comes to behind a branch is one of them, or 2 + a node's place."""


class FormulaTooLargeError(Exception):
    """The diagram of a formula outgrows `MOST_STEPS` or `MOST_VARIABLES`."""


Branch: TypeAlias = tuple[int, int]
"""The place of a region, and what the formula comes to if it holds."""


@frozen
class Diagram:
    """A condition as a decision diagram.

    Attributes:
        regions: what branches ask, conditions of one comparison or event each. Those of one node
            exclude one another, and one of them holds.
        nodes: branches of every node, below those that lead to it; the last is the root.
        value: of a formula that holds always, or never; it has no nodes.
    """

    regions: tuple[Predicate, ...]
    nodes: tuple[tuple[Branch, ...], ...]
    value: bool | None = None

    @property
    def region(self) -> Predicate | None:
        """The one region that the formula comes to, if it is as simple as that."""
        if len(self.nodes) != 1:
            return None
        wanted = [region for region, end in self.nodes[0] if end == TRUE]
        return self.regions[wanted[0]] if len(wanted) == 1 else None


def is_event(predicate: Predicate, options: ConditionOptions) -> bool:
    """Whether a simplified condition is an event of its own, independent of all others.

    A power p^(w/t) of a probability belongs to no set of values; nor do a degree, and a single
    number, whose energy is a penalty. Equal ones are one event.
    """
    if predicate.weight != 1 or temperatures(predicate, options) not in _NO_TEMPERATURES:
        return True
    if isinstance(predicate, Comparison):
        return not isinstance(predicate, _OF_VALUES)
    # A term of the user's own is known by its probability alone.
    return not predicate.children and predicate != And(())


_OF_VALUES = (Discrete, AtLeast, AtMost, Between)
_NO_TEMPERATURES = ((None, None), (1.0, None))


def parts(predicate: Predicate, options: ConditionOptions) -> Iterator[Predicate | Diagram]:
    """Divide a simplified condition into parts that are independent of one another.

    They are terms of the outer `and` that share no attribute and no event. What comes to a single
    comparison or event, perhaps negated, is that; else it is a diagram.

    Raises:
        FormulaTooLargeError: a diagram takes too many steps to make it.
    """
    terms = predicate.terms if isinstance(predicate, And) else (predicate,)
    for together in _independent(terms, options):
        part = together[0] if len(together) == 1 else And(together)
        if isinstance(part, Comparison) or is_event(part, options):
            yield part
        else:
            diagram = diagram_of(part, options)
            yield diagram if diagram.region is None else diagram.region


def _independent(
    terms: Sequence[Predicate], options: ConditionOptions
) -> list[tuple[Predicate, ...]]:
    """Divide terms by what they ask for, in the order of the first ones (union-find)."""
    first: dict[Key, int] = {}
    above = list(range(len(terms)))

    def top(place: int) -> int:
        while above[place] != place:
            above[place] = place = above[above[place]]
        return place

    for place, term in enumerate(terms):
        for key, _ in _leaves(term, options):
            ends = top(place), top(first.setdefault(key, place))
            above[max(ends)] = min(ends)
    groups: dict[int, list[Predicate]] = {}
    for place, term in enumerate(terms):
        groups.setdefault(top(place), []).append(term)
    return [tuple(group) for group in groups.values()]


def require_small(predicate: Predicate, options: ConditionOptions) -> None:
    """Make all diagrams of a condition, those of its events included.

    Raises:
        FormulaTooLargeError: one takes too many steps to make it.
    """
    pending = [simplified(And((predicate,)), sums=False)]
    while pending:
        whole = evolve(pending.pop(), weight=1.0, temp=None)
        for part in parts(whole, options):
            for region in part.regions if isinstance(part, Diagram) else (part,):
                if isinstance(region, Not) and not is_event(region, options):
                    region = region.term
                if region.children:
                    pending.append(region)


def diagram_of(predicate: Predicate, options: ConditionOptions) -> Diagram:
    """Return the diagram of a simplified condition.

    Weights of disjuncts, which are odds and have no meaning here, are ignored.

    Raises:
        FormulaTooLargeError: it takes too many steps to make it.
    """
    compared: dict[Key, list[Predicate]] = {}
    for key, leaf in _leaves(predicate, options):
        compared.setdefault(key, []).append(leaf)
        if len(compared) > MOST_VARIABLES:
            raise FormulaTooLargeError
    order = [variable_of(key, leaves) for key, leaves in compared.items()]
    maker = _Maker(order, {key: level for level, key in enumerate(compared)}, options)
    return _laid_out(maker.formula(predicate), maker)


def _leaves(predicate: Predicate, options: ConditionOptions) -> Iterator[tuple[Key, Predicate]]:
    """Yield what a condition asks for as often as it stands there, and the comparison or event."""
    if is_event(predicate, options):
        yield _as_event(predicate, options), predicate
    elif isinstance(predicate, Comparison):
        yield predicate.attribute.name, predicate
    else:
        for child in _children(predicate):
            yield from _leaves(child, options)


def _as_event(predicate: Predicate, options: ConditionOptions) -> Predicate:
    """Two events are one if they compare equal: the statement's temperature becomes their own."""
    temp, logit = temperatures(predicate, options)
    return evolve(predicate, temp=1.0 if temp is logit is None else temp, logit_temp=logit)


def _children(predicate: Predicate) -> tuple[Predicate, ...]:
    """The terms of a connective; those of an `or` without their odds."""
    if isinstance(predicate, Or):
        return tuple(evolve(term, weight=1.0) for term in predicate.terms)
    return predicate.children


class _Maker:
    """Makes nodes of variables in an order. Equal ones are one, by its number (hash consing)."""

    def __init__(
        self, order: list[Variable], levels: dict[Key, int], options: ConditionOptions
    ) -> None:
        self.order = order
        self.nodes: list[tuple[int, tuple[int, ...]]] = [(len(order), ())] * 2  # the ends
        self._levels = levels
        self._options = options
        self._numbers: dict[tuple[int, tuple[int, ...]], int] = {}
        self._found: dict[tuple[int, int, int], int] = {}
        self._left = MOST_STEPS

    def formula(self, predicate: Predicate) -> int:
        """Return the node that a simplified condition comes to."""
        if is_event(predicate, self._options):
            return self._literal(_as_event(predicate, self._options), predicate)
        if isinstance(predicate, Comparison):
            return self._literal(predicate.attribute.name, predicate)
        terms = [self.formula(term) for term in _children(predicate)]
        if isinstance(predicate, Not):
            return self._joined(_XOR, terms[0], TRUE)
        assert isinstance(predicate, Group)
        table, neutral = _TABLES[type(predicate)]
        # From the last to the first: those come to stand above what is joined already.
        return reduce(lambda done, term: self._joined(table, term, done), terms[::-1], neutral)

    def _literal(self, key: Key, leaf: Predicate) -> int:
        level = self._levels[key]
        variable = self.order[level]
        held = variable.of(leaf)
        return self._node(level, tuple(int(cell in held) for cell in range(variable.cells)))

    def _node(self, level: int, ends: tuple[int, ...]) -> int:
        self._left -= len(ends)
        if self._left < 0:
            raise FormulaTooLargeError
        if len(set(ends)) == 1:
            return ends[0]
        number = self._numbers.setdefault((level, ends), len(self.nodes))
        if number == len(self.nodes):
            self.nodes.append((level, ends))
        return number

    def _joined(self, table: int, one: int, other: int) -> int:
        """Join two nodes by a truth table, whose bit 2 a + b says what a and b come to."""
        if one <= TRUE and other <= TRUE:
            return table >> (2 * one + other) & 1
        short = _SHORT[table](one, other)
        if short is not None:
            return short
        # All connectives are symmetric.
        key = table, min(one, other), max(one, other)
        if key not in self._found:
            level = min(self.nodes[one][0], self.nodes[other][0])
            pairs = zip(self._below(one, level), self._below(other, level), strict=True)
            ends = tuple(self._joined(table, *pair) for pair in pairs)
            self._found[key] = self._node(level, ends)
        return self._found[key]

    def _below(self, number: int, level: int) -> tuple[int, ...]:
        own, ends = self.nodes[number]
        return ends if own == level else (number,) * self.order[level].cells


_AND, _OR, _XOR = 0b1000, 0b1110, 0b0110
_TABLES: dict[type[Predicate], tuple[int, int]] = {
    And: (_AND, TRUE), Or: (_OR, FALSE), Xor: (_XOR, FALSE),
}  # fmt: skip
"""The truth table of each connective, and what it makes of no terms."""


def _shorter_and(one: int, other: int) -> int | None:
    if one == FALSE or other == FALSE:
        return FALSE
    return other if one in (TRUE, other) else one if other == TRUE else None


def _shorter_or(one: int, other: int) -> int | None:
    if one == TRUE or other == TRUE:
        return TRUE
    return other if one in (FALSE, other) else one if other == FALSE else None


def _shorter_xor(one: int, other: int) -> int | None:
    if one == other:
        return FALSE
    return other if one == FALSE else one if other == FALSE else None


_SHORT: dict[int, Callable[[int, int], int | None]] = {
    _AND: _shorter_and, _OR: _shorter_or, _XOR: _shorter_xor,
}  # fmt: skip


def _laid_out(root: int, maker: _Maker) -> Diagram:
    """Keep what the root leads to, and say of every branch by which regions it is taken."""
    if root <= TRUE:
        return Diagram((), (), bool(root))
    reached, left = {root}, [root]
    while left:
        for end in maker.nodes[left.pop()][1]:
            if end > TRUE and end not in reached:
                reached.add(end)
                left.append(end)
    # By levels from below, so that a node stands after those that it leads to.
    order = sorted(reached, key=lambda number: (-maker.nodes[number][0], number))
    places = {FALSE: FALSE, TRUE: TRUE, **{number: 2 + i for i, number in enumerate(order)}}
    regions: dict[Predicate, int] = {}
    nodes = []
    for number in order:
        level, ends = maker.nodes[number]
        cells: dict[int, list[int]] = {}
        for cell, end in enumerate(ends):
            cells.setdefault(end, []).append(cell)
        branches = [
            (regions.setdefault(region, len(regions)), places[end])
            for end, some in cells.items()
            for region in maker.order[level].regions(some)
        ]
        nodes.append(tuple(branches))
    return Diagram(tuple(regions), tuple(nodes))
