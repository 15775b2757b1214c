"""Conditions that cannot hold together, or that are said twice: worth a word, not an error."""

from __future__ import annotations

import math
from collections.abc import Iterator

from attrs import Factory, define

from lacelang.semantics import ir
from lacelang.semantics.report import Report
from lacelang.semantics.scope import Module


def warn_contradictions(predicate: ir.Predicate, module: Module, report: Report) -> None:
    """Warn of every `and` whose terms about one attribute leave nothing possible."""
    pending = [predicate]
    if not isinstance(predicate, ir.And):
        _within(predicate, module, report)
    while pending:
        node = pending.pop()
        if isinstance(node, ir.And):
            _within(node, module, report)
            # An `and` inside an `and` has been looked at with it.
            pending.extend(_below(node))
        elif isinstance(node, ir.Or):
            _said_twice(node.terms, module, report)
            pending.extend(node.terms)
        elif isinstance(node, ir.Not):
            pending.append(node.term)


@define
class _Known:
    """What the terms so far leave possible for one attribute."""

    classes: frozenset[int] = frozenset()
    low: float = -math.inf
    high: float = math.inf
    terms: list[ir.Predicate] = Factory(list)


def _within(node: ir.Predicate, module: Module, report: Report) -> None:
    terms = list(_conjuncts(node))
    _said_twice(terms, module, report)
    known: dict[str, _Known] = {}
    for term in terms:
        atom = term.term if isinstance(term, ir.Not) else term
        if isinstance(atom, ir.Discrete):
            _narrow_classes(known, term, atom, module, report)
        elif isinstance(atom, _MEASURED) and atom is term:
            _narrow_range(known, atom, module, report)


def _narrow_classes(
    known: dict[str, _Known], term: ir.Predicate, atom: ir.Discrete, module: Module, report: Report
) -> None:
    every = frozenset(range(len(atom.attribute.values)))
    allowed = every - atom.classes if term is not atom else atom.classes
    before = known.get(atom.attribute.name)
    if before is None:
        known[atom.attribute.name] = _Known(classes=allowed, terms=[term])
        return
    left = before.classes & allowed
    if left:
        known[atom.attribute.name] = _Known(classes=left, terms=[*before.terms, term])
    else:
        culprit = next((t for t in before.terms if not _classes(t) & allowed), before.terms[-1])
        _clash(culprit, term, module, report)


def _narrow_range(
    known: dict[str, _Known], atom: ir.Predicate, module: Module, report: Report
) -> None:
    assert isinstance(atom, _MEASURED)
    low, high = _interval(atom)
    before = known.setdefault(atom.attribute.name, _Known())
    if max(low, before.low) > min(high, before.high) or _touch(atom, before):
        culprit = next(
            (t for t in before.terms if _apart(_interval(t), (low, high))), before.terms[-1]
        )
        _clash(culprit, atom, module, report)
        return
    known[atom.attribute.name] = _Known(
        low=max(low, before.low), high=min(high, before.high), terms=[*before.terms, atom]
    )


def _touch(atom: ir.Predicate, before: _Known) -> bool:
    """Whether two stretches have one point in common, as in `age > 60 and age < 60`."""
    low, high = _interval(atom)
    stretches = low < high and before.low < before.high
    return stretches and (low == before.high or high == before.low)


def _apart(a: tuple[float, float], b: tuple[float, float]) -> bool:
    return max(a[0], b[0]) >= min(a[1], b[1])


def _interval(atom: ir.Predicate) -> tuple[float, float]:
    match atom:
        case ir.Equals(value=value):
            return value, value
        case ir.AtLeast(bound=bound):
            return bound, math.inf
        case ir.AtMost(bound=bound):
            return -math.inf, bound
        case ir.Between(low=low, high=high):
            return low, high
    return -math.inf, math.inf


def _classes(term: ir.Predicate) -> frozenset[int]:
    if isinstance(term, ir.Not):
        assert isinstance(term.term, ir.Discrete)
        return frozenset(range(len(term.term.attribute.values))) - term.term.classes
    assert isinstance(term, ir.Discrete)
    return term.classes


def _clash(first: ir.Predicate, second: ir.Predicate, module: Module, report: Report) -> None:
    message = f"`{first.text}` and `{second.text}` cannot hold together"
    hint = "for one or the other, write `or`"
    report.say("LACE501", message, second.span, module, hint)


def _said_twice(
    terms: tuple[ir.Predicate, ...] | list[ir.Predicate], module: Module, report: Report
) -> None:
    seen: set[ir.Predicate] = set()
    for term in terms:
        if term in seen:
            report.say("LACE514", f"`{term.text}` is said twice", term.span, module)
        seen.add(term)


def _conjuncts(node: ir.Predicate) -> Iterator[ir.Predicate]:
    """Yield the terms that must all hold; weights and nested brackets make no difference."""
    if isinstance(node, ir.And):
        for term in node.terms:
            yield from _conjuncts(term)
    elif node.weight > 0:
        yield node


def _below(node: ir.And) -> Iterator[ir.Predicate]:
    for term in _conjuncts(node):
        if isinstance(term, ir.Not):
            yield term.term
        elif isinstance(term, ir.Or):
            yield term


_MEASURED = ir.Equals | ir.AtLeast | ir.AtMost | ir.Between
