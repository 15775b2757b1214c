"""Conditions that contradict one another, that always hold or are repeated.

The values of an attribute that a condition allows are a set of classes or of intervals. The sets
are never too small: what they exclude is impossible.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias

from attrs import Factory, define, evolve, field, frozen

from lacelang import ir
from lacelang.errors import Span
from lacelang.semantics.context import Definition, Frame, Module

_LONGEST = 60
_SHORT = 128  # comparisons that a `xor` may come to


@frozen
class Term:
    """A condition, perhaps negated; `written` is its source in the program, if it has one."""

    predicate: ir.Predicate
    negated: bool = False
    written: ir.Predicate | None = field(default=None, eq=False)

    @property
    def said(self) -> ir.Predicate:
        """The part of the program that it comes from."""
        return self.written or self.predicate

    @property
    def text(self) -> str:
        """How a message names it."""
        denial = self.negated and self.written is None
        text = f"not {self.predicate.as_operand}" if denial else self.said.text
        return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"

    @property
    def weightless(self) -> bool:
        """Whether it has no weight, and so no effect."""
        return self.said.weight == 0 or self.predicate.weight == 0

    @property
    def is_choice(self) -> bool:
        """Whether it holds if one of its parts does."""
        return isinstance(self.predicate, ir.And if self.negated else ir.Or)

    @property
    def choices(self) -> list[Term]:
        """The parts of a choice; none of any other term."""
        inner = self.predicate.children if self.is_choice else ()
        return [Term(each, self.negated).bare() for each in inner if each.weight > 0]

    def bare(self) -> Term:
        """Return it without a `not` around it."""
        term = self
        while isinstance(term.predicate, ir.Not) and not term.weightless:
            # The negation of a `not` is its operand, which is not written as that.
            unwritten = term.negated and term.written is None
            term = Term(term.predicate.term, not term.negated, None if unwritten else term.said)
        if isinstance(term.predicate, ir.Xor) and ir.expanded_size(term.predicate) <= _SHORT:
            return evolve(term, predicate=term.predicate.expanded)
        return term

    def conjuncts(self) -> Iterator[Term]:
        """Yield the terms that must all hold; weights and nested brackets make no difference."""
        if self.weightless:
            return
        if isinstance(self.predicate, ir.Or if self.negated else ir.And):
            for inner in self.predicate.children:
                yield from Term(inner, self.negated).bare().conjuncts()
        else:
            yield self

    def possible(self) -> Regions | None:
        """Return the values that it allows; None if it allows none."""
        term = self.bare()
        if term.weightless or isinstance(term.predicate, ir.Xor | ir.OwnTerm):
            return {}  # of a long `xor` it is not known what it excludes, nor of a user's function
        if term.is_choice:
            ways = [way for each in term.choices if (way := each.possible()) is not None]
            return joined(ways) if ways else None
        if isinstance(term.predicate, ir.Comparison):
            return met({}, region_of(term.predicate, term.negated))
        return _possible_together([term])


def warn_contradictions(predicate: ir.Predicate, frame: Frame) -> None:
    """Warn of conditions that allow no value, or every value, and of repeated ones."""
    pending = [Term(predicate)]
    while pending:
        whole = pending.pop().bare()
        terms = list(whole.conjuncts())
        if terms and not whole.is_choice:
            # What is repeated leaves as much as before.
            terms = _warn_of_repeats(terms, frame)
            _warn_of_clashes(whole, terms, predicate.span, frame)
        for choice in terms:
            pending.extend(choice.choices)
            # A `not` of what cannot hold comes from definitions that are written for all cases.
            if choice.is_choice and not choice.negated:
                _warn_of_repeats(choice.choices, frame)
                if evolve(choice, negated=True).possible() is None:
                    frame.say("LACE502", f"`{choice.text}` always holds", choice.said.span)


def never_together(predicates: Sequence[ir.Predicate]) -> bool:
    """Whether the conditions exclude one another."""
    return _possible_together([Term(p) for p in predicates]) is None


def follows(consequence: ir.Predicate, premise: ir.Predicate) -> bool:
    """Whether the premise leaves no way for the consequence to fail."""
    return _possible_together([Term(premise), Term(consequence, negated=True)]) is None


def _possible_together(terms: Sequence[Term]) -> Regions | None:
    known = _Known()
    flat = [inner for term in terms for inner in term.bare().conjuncts()]
    clashes = (known.clash(term) for term in _comparisons_first(flat))
    return None if any(clash is not None for clash in clashes) else known.regions


def _comparisons_first(terms: Sequence[Term]) -> list[Term]:
    """Put choices last: a comparison says more clearly what is in the way."""
    return sorted(terms, key=lambda term: term.is_choice)


@define
class _Known:
    """The values that the terms so far allow, and by attribute the terms."""

    regions: Regions = Factory(dict)
    terms: dict[Key, list[Term]] = Factory(dict)

    def clash(self, term: Term) -> tuple[Term | None] | None:
        """Take one more term into account, unless it clashes.

        Returns:
            None if it does not, else the one term before it that it clashes with, if there is one.
        """
        each = [choice.possible() for choice in term.choices] or [term.possible()]
        ways = [way for way in each if way is not None]
        narrowed = [met(self.regions, way) for way in ways]
        alive = [way for way, left in zip(ways, narrowed, strict=True) if left is not None]
        if alive:
            region = joined(alive)
            one = narrowed[0] if len(ways) == 1 else met(self.regions, region)
            self.regions = one or {}
            for key in region:
                self.terms.setdefault(key, []).append(term)
            return None
        keys = dict.fromkeys(key for way in ways for key in way)
        before = [t for key in keys for t in self.terms.get(key, ())]
        last = before[-1] if before and not term.is_choice else None
        return (next((t for t in before if all(_excludes(t, way) for way in ways)), last),)


def _excludes(term: Term, regions: Regions) -> bool:
    known = term.possible()
    return known is None or met(known, regions) is None


def _warn_of_clashes(whole: Term, terms: Sequence[Term], root: Span, frame: Frame) -> None:
    """Warn of terms that cannot all hold, in the condition at `root`."""
    known = _Known()
    for term in _comparisons_first(terms):
        clash = known.clash(term)
        if clash is None:
            continue
        (culprit,) = clash
        if culprit is None or culprit.is_choice:
            frame.say("LACE501", f"`{whole.text}` can never hold", whole.said.span)
            return
        # Where the two are joined.
        first, second = culprit.said.span, term.said.span
        if frame.report.is_full_of("LACE501"):
            return
        homes = _home(first, frame.module), _home(second, frame.module)
        place = first if homes[0] is None else root
        if homes[0] is homes[1] or homes[1] is None:
            place = second
        message = f"`{culprit.text}` and `{term.text}` cannot hold together"
        frame.say("LACE501", message, place, "for one or the other, write `or`")


def _home(span: Span, module: Module) -> Definition | None:
    """Return the definition that contains the span; None for the statement itself."""
    # In the order of the text, as they were collected.
    definitions = list(module.definitions.values())
    at = (span.line, span.column)
    before = bisect_right(definitions, at, key=lambda d: (d.node.span.line, d.node.span.column))
    if not before:
        return None
    last = definitions[before - 1]
    return last if at < (last.node.span.end_line, last.node.span.end_column) else None


def _warn_of_repeats(terms: list[Term], frame: Frame) -> list[Term]:
    """Return each of the terms once."""
    if len(terms) < 2:
        return terms
    seen: dict[Term, Term] = {}
    for term in terms:
        again = seen.setdefault(term, term) is not term
        if again and not frame.report.is_full_of("LACE514"):
            frame.say("LACE514", f"`{term.text}` is repeated", term.said.span)
    return list(seen)


Key: TypeAlias = tuple[str, str]
"""An attribute's name, and `~` if a comparison is about its degree."""

Regions: TypeAlias = dict[Key, Any]
"""By attribute a `frozenset` of classes, or `Reals`; one that is not named may be anything."""

_MOST = 64


@frozen
class Reals:
    """Stretches of numbers. One of no length is a point; the ends of others have no weight.

    Like a set, it is false if it is empty, and is joined by `|` and narrowed by `&`.

    Attributes:
        stretches: pairs of a lower and an upper end.
        without: points that are left out of them.
    """

    stretches: tuple[tuple[float, float], ...]
    without: frozenset[float] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.stretches)

    def __and__(self, other: Reals) -> Reals:
        # To forget a point that is left out makes the set larger, never too small.
        without = self.without | other.without if len(self.without) < _MOST else self.without
        shared = []
        for one in self.stretches:
            for two in other.stretches:
                low, high = max(one[0], two[0]), min(one[1], two[1])
                is_point = one[0] == one[1] or two[0] == two[1]
                if low < high or (low == high and is_point and low not in without):
                    shared.append((low, high))
        return Reals(tuple(shared), without)

    def __or__(self, other: Reals) -> Reals:
        stretches = (*self.stretches, *other.stretches)
        if len(stretches) > _MOST:  # a little more than either allows
            stretches = ((min(low for low, _ in stretches), max(high for _, high in stretches)),)
        return Reals(stretches, self.without & other.without)


def region_of(comparison: ir.Comparison, negated: bool) -> Regions:
    """Return what a comparison, or its denial, leaves possible."""
    name = comparison.attribute.name
    if isinstance(comparison, ir.ClassComparison) and comparison.is_value:
        every = frozenset(range(len(comparison.attribute.values)))
        return {(name, ""): every - comparison.classes if negated else comparison.classes}
    key = name, "~" if isinstance(comparison, ir.ClassComparison) else ""
    low, high = comparison.interval()
    if not negated:
        return {key: Reals(((low, high),))}
    if low == high:
        return {key: Reals(((-math.inf, math.inf),), frozenset({low}))}
    outside = ((-math.inf, low), (high, math.inf))
    return {key: Reals(tuple(stretch for stretch in outside if stretch[0] < stretch[1]))}


def met(known: Regions, by: Regions) -> Regions | None:
    """Return `known` narrowed by more conditions; None if nothing is left of an attribute."""
    left = {key: known[key] & region if key in known else region for key, region in by.items()}
    return {**known, **left} if all(left.values()) else None


def joined(ways: Iterable[Regions]) -> Regions:
    """Return what at least one of the ways allows."""
    first, *others = ways
    for other in others:
        first = {key: first[key] | other[key] for key in first if key in other}
    return first
