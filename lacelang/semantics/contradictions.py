"""Conditions that cannot hold together, that always hold or are said twice: worth a word."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from attrs import Factory, define, evolve, field, frozen

from lacelang import ir
from lacelang.errors import Span
from lacelang.semantics.regions import (
    Key,
    Regions,
    is_empty,
    meet,
    narrow,
    region_of,
    widened,
)
from lacelang.semantics.report import Report
from lacelang.semantics.scope import Definition, Module

_LONGEST = 60


@frozen
class Term:
    """A condition and whether it is denied; `spoken` is how the program says that."""

    predicate: ir.Predicate
    denied: bool = False
    spoken: ir.Predicate | None = field(default=None, eq=False)

    @property
    def is_choice(self) -> bool:
        """Whether it takes one of several to make it hold."""
        return isinstance(self.predicate, ir.And if self.denied else ir.Or)

    @property
    def weightless(self) -> bool:
        """Whether nothing is asked for."""
        return (self.spoken or self.predicate).weight == 0 or self.predicate.weight == 0

    @property
    def text(self) -> str:
        """How a message names it."""
        denial = self.denied and self.spoken is None
        return _shortened(f"not {self.predicate.as_operand}" if denial else self.said.text)

    @property
    def said(self) -> ir.Predicate:
        """What of it stands in the program."""
        return self.spoken or self.predicate

    def bare(self) -> Term:
        """Return it without a `not` around it."""
        term = self
        while isinstance(term.predicate, ir.Not) and not term.weightless:
            inner, spoken = term.predicate.term, term.spoken or term.predicate
            # A denial of a `not` says what is below it, and nobody wrote the two together.
            written = None if term.denied and term.spoken is None else spoken
            term = Term(inner, not term.denied, written)
        return term


def warn_contradictions(predicate: ir.Predicate, module: Module, report: Report) -> None:
    """Warn of conditions that leave nothing possible, or nothing impossible."""
    _Look(predicate, module, report).everywhere()


def never_together(predicates: Sequence[ir.Predicate]) -> bool:
    """Whether the conditions exclude one another."""
    return _possible_together([Term(p) for p in predicates]) is None


def follows(consequence: ir.Predicate, premise: ir.Predicate) -> bool:
    """Whether the premise leaves no way for the consequence to fail."""
    return _possible_together([Term(premise), Term(consequence, denied=True)]) is None


class _Look:
    """One look at a condition."""

    def __init__(self, predicate: ir.Predicate, module: Module, report: Report) -> None:
        self.root = predicate
        self.module = module
        self.report = report

    def everywhere(self) -> None:
        """Look at the condition and at all that is in it."""
        pending = [Term(self.root)]
        while pending:
            term = pending.pop().bare()
            if term.weightless:
                continue
            if not term.is_choice:
                together = list(_together(term))
                self._together(term, together)
                choices = [inner for inner in together if inner.is_choice]
            else:
                choices = [term]
            for choice in choices:
                self._choice(choice)
                pending.extend(_arms(choice))

    def _choice(self, term: Term) -> None:
        if term.denied:
            # That not both of two hold which cannot, nobody writes but a definition for all cases.
            return
        self._said_twice(_arms(term))
        if _possible(evolve(term, denied=True)) is None:
            message = f"`{term.text}` always holds"
            self.report.say("LACE502", message, term.said.span, self.module)

    def _together(self, whole: Term, terms: list[Term]) -> None:
        self._said_twice(terms)
        known = _Known()
        for term in _comparisons_first(terms):
            clash = known.add(term)
            if clash is None:
                continue
            culprit = clash.culprit
            if culprit is None or culprit.is_choice:
                message = f"`{whole.text}` can never hold"
                self.report.say("LACE501", message, whole.said.span, self.module)
                return
            message = f"`{culprit.text}` and `{term.text}` cannot hold together"
            hint = "for one or the other, write `or`"
            self.report.say("LACE501", message, self._place(culprit, term), self.module, hint)

    def _place(self, first: Term, second: Term) -> Span:
        """Return where two terms that clash come together."""
        spans = first.said.span, second.said.span
        homes = [self._home(span) for span in spans]
        if homes[0] is homes[1] or homes[1] is None:
            return spans[1]
        return spans[0] if homes[0] is None else self.root.span

    def _home(self, span: Span) -> Definition | None:
        """Return the definition that the span stands in; None for the statement itself."""
        # In the order of the text, as they were collected.
        definitions = list(self.module.definitions.values())
        at = (span.line, span.column)
        before = bisect_right(definitions, at, key=lambda d: (d.node.span.line, d.node.span.column))
        if not before:
            return None
        last = definitions[before - 1]
        return last if at < (last.node.span.end_line, last.node.span.end_column) else None

    def _said_twice(self, terms: Sequence[Term]) -> None:
        seen: set[Term] = set()
        for term in terms:
            if term in seen:
                message = f"`{term.text}` is said twice"
                self.report.say("LACE514", message, term.said.span, self.module)
            seen.add(term)


@define
class _Clash:
    """Something impossible; `culprit` is the single earlier term that it clashes with, if any."""

    culprit: Term | None = None


@define
class _Known:
    """What the terms so far leave possible, and which of them spoke of which attribute."""

    regions: Regions = Factory(dict)
    terms: dict[Key, list[Term]] = Factory(dict)

    def add(self, term: Term) -> _Clash | None:
        """Take one more term into account, unless it clashes."""
        if not term.is_choice:
            return self._add_regions(term, _possible(term))
        arms = [_possible(arm) for arm in _arms(term)]
        open_ = [arm for arm in arms if arm is not None]
        alive = [arm for arm in open_ if narrow(dict(self.regions), arm) is None]
        if not alive:
            # Which single term is it that closes every arm?
            keys = {key for arm in open_ for key in arm}
            before = [t for key in keys for t in self.terms.get(key, ())]
            blocking = (t for t in before if all(_excludes(t, arm) for arm in open_))
            return _Clash(next(blocking, None))
        return self._add_regions(term, widened(alive))

    def _add_regions(self, term: Term, regions: Regions | None) -> _Clash | None:
        if regions is None:
            return _Clash()
        for key, region in regions.items():
            before = self.terms.get(key, [])
            left = meet(self.regions[key], region) if key in self.regions else region
            if is_empty(left):
                culprit = next((t for t in before if _excludes(t, {key: region})), None)
                return _Clash(culprit or (before[-1] if before else None))
        narrow(self.regions, regions)
        for key in regions:
            self.terms.setdefault(key, []).append(term)
        return None


def _excludes(term: Term, regions: Regions) -> bool:
    known = _possible(term)
    return known is None or narrow(known, regions) is not None


def _possible(term: Term) -> Regions | None:
    """Return what a term leaves possible; None if nothing is."""
    term = term.bare()
    if term.weightless:
        return {}
    if term.is_choice:
        arms = [_possible(arm) for arm in _arms(term)]
        alive = [arm for arm in arms if arm is not None]
        return widened(alive) if alive else None
    predicate = term.predicate
    if isinstance(predicate, ir.And | ir.Or):
        return _possible_together([Term(inner, term.denied) for inner in predicate.terms])
    assert isinstance(predicate, ir.Comparison)
    key, region = region_of(predicate, term.denied)
    return None if is_empty(region) else {key: region}


def _possible_together(terms: Sequence[Term]) -> Regions | None:
    known = _Known()
    flat = [inner for term in terms for inner in _together(term.bare())]
    if any(known.add(term) is not None for term in _comparisons_first(flat)):
        return None
    return known.regions


def _comparisons_first(terms: Sequence[Term]) -> list[Term]:
    """Put choices last: a comparison says more clearly what is in the way."""
    return sorted(terms, key=lambda term: term.is_choice)


def _arms(term: Term) -> list[Term]:
    """Return what a choice is between; nothing of any other term."""
    if not term.is_choice:
        return []
    assert isinstance(term.predicate, ir.And | ir.Or)
    return [Term(arm, term.denied).bare() for arm in term.predicate.terms if arm.weight > 0]


def _together(term: Term) -> Iterator[Term]:
    """Yield the terms that must all hold; weights and nested brackets make no difference."""
    if term.weightless:
        return
    if isinstance(term.predicate, ir.Or if term.denied else ir.And):
        for inner in term.predicate.terms:
            yield from _together(Term(inner, term.denied).bare())
    else:
        yield term


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
