"""Conditions: comparisons joined by `and`, `or` and `not`, and what can be done with them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from typing import Literal, TypeAlias

from attrs import evolve, field, frozen

from lacelang.errors import NOWHERE, Span
from lacelang.ir.comparisons import ClassComparison, Comparison, Predicate
from lacelang.ir.models import Attribute
from lacelang.record import Record


@frozen(eq=False, repr=False)
class Group(Predicate):
    """Terms joined by a connective."""

    terms: tuple[Predicate, ...]

    @property
    def children(self) -> tuple[Predicate, ...]:
        """See `Predicate`."""
        return self.terms

    def _spelled(self) -> str:
        return f" {self.kind} ".join(term.as_operand for term in self.terms)

    def _is_joined(self) -> bool:
        return True


@frozen(eq=False, repr=False)
class And(Group):
    """All of its terms. `conjunction` makes one."""

    kind = "and"


@frozen(eq=False, repr=False)
class Or(Group):
    """At least one of its terms, the disjuncts. `disjunction` makes one.

    `is_set`: it is written as one comparison, `yaw in {left, right}`.
    """

    kind = "or"

    is_set: bool = field(default=False, eq=False, repr=False, kw_only=True)

    def _is_joined(self) -> bool:
        return not self.is_set


@frozen(eq=False, repr=False)
class Xor(Group):
    """An odd number of its terms: of two, exactly one."""

    kind = "xor"

    @property
    def expanded(self) -> Predicate:
        """The same in `and`, `or` and `not`: `(a or b) and not (a and b)`, from left to right.

        Every step writes both sides twice, so that n terms come to about 2^n.
        """
        result = self.terms[0]
        for i, term in enumerate(self.terms[1:], start=2):
            sides = result, term
            not_both = Not(conjunction(sides, self.span), span=self.span)
            text = " xor ".join(each.as_operand for each in self.terms[:i])
            result = conjunction([disjunction(sides, self.span), not_both], self.span, text)
        return evolve(
            result, weight=self.weight, temp=self.temp, settings=self.settings, via=self.via
        )


@frozen(eq=False, repr=False)
class Not(Predicate):
    """The term does not hold; the statement's `negation` says how."""

    kind = "not"

    term: Predicate

    @property
    def children(self) -> tuple[Predicate, ...]:
        """See `Predicate`."""
        return (self.term,)

    def _spelled(self) -> str:
        return f"not {self.term.as_operand}"


def conjunction(terms: Iterable[Predicate], span: Span = NOWHERE, text: str = "") -> And:
    """Join conditions by `and`. Plain ones in an `and` are merged into it, so that it is flat."""
    return And(tuple(_flat(And, terms)), span=span, text=text)


def disjunction(terms: Iterable[Predicate], span: Span = NOWHERE, text: str = "") -> Or:
    """Join conditions by `or`, flat, so that order never matters."""
    return Or(tuple(_flat(Or, terms)), span=span, text=text)


def exclusive(terms: Sequence[Predicate], span: Span = NOWHERE) -> Xor:
    """Join conditions by `xor`, from left to right: one that begins with a `xor` is merged."""
    first, *others = terms
    return Xor((*_flat(Xor, [first]), *others), span=span)


def _flat(kind: type[Group], terms: Iterable[Predicate]) -> Iterator[Predicate]:
    for term in terms:
        if isinstance(term, kind) and term.is_plain:
            via = term.via
            yield from (evolve(t, via=(*via, *t.via)) if via else t for t in term.terms)
        else:
            yield term


def simplified(predicate: Predicate, sums: bool = True) -> Predicate:
    """Return a condition of the same energy, without what changes none.

    Terms of weight 0 go, and so do a `not` of a `not` and groups of one term. Groups in a group of
    their kind are merged into it, weights and all; in an `or`, a group that has a weight of its own
    stays apart, and so it does in an `and` unless that is one of `sums`: the energy of a weighted
    formula is no sum. An `and` without terms asks for nothing. Texts and spans are lost.
    """
    core = _core(predicate, sums)
    if core is predicate:
        return core
    if predicate.temp in (None, 1.0):
        return _weighted(core, predicate.weight)
    return And((core,), weight=predicate.weight, temp=predicate.temp)


def _weighted(predicate: Predicate, weight: float) -> Predicate:
    return predicate if predicate.weight == weight else evolve(predicate, weight=weight)


def expanded(predicate: Predicate) -> Predicate:
    """Return a condition in `and`, `or` and `not` alone; see `Xor.expanded`."""
    if isinstance(predicate, Group):
        predicate = evolve(predicate, terms=tuple(map(expanded, predicate.terms)))
    elif isinstance(predicate, Not):
        predicate = evolve(predicate, term=expanded(predicate.term))
    return predicate.expanded if isinstance(predicate, Xor) else predicate


def expanded_size(predicate: Predicate) -> int:
    """Return the number of comparisons in `expanded(predicate)`, without making it."""
    sizes = [expanded_size(child) for child in predicate.children]
    if not isinstance(predicate, Xor):
        return sum(sizes) or 1
    return reduce(lambda both, size: 2 * (both + size), sizes)


def _core(predicate: Predicate, sums: bool) -> Predicate:
    """A simplified connective without its own weight and temperature."""
    if isinstance(predicate, Xor):
        return Xor(tuple(simplified(term, sums) for term in predicate.terms))
    if isinstance(predicate, Not):
        term = simplified(And((predicate.term,)), sums)
        if isinstance(term, Not):
            return term.term
        return term if term == And(()) else Not(term)
    if not isinstance(predicate, Group):
        return predicate
    terms: list[Predicate] = []
    for term in (simplified(term, sums) for term in predicate.terms if term.weight > 0):
        summed = sums or term.weight == 1
        if isinstance(predicate, And) and isinstance(term, And) and term.temp is None and summed:
            terms += [_weighted(inner, term.weight * inner.weight) for inner in term.terms]
        elif isinstance(predicate, Or) and isinstance(term, Or) and term.is_plain:
            terms += term.terms
        else:
            terms.append(term)
    if isinstance(predicate, Or) and len(terms) > 1:
        return Or(tuple(terms))
    if isinstance(predicate, Or) and terms:  # a single disjunct has no odds
        return _weighted(terms[0], 1.0)
    return terms[0] if len(terms) == 1 and terms[0].weight == 1 else And(tuple(terms))


# Walks


def walk(predicate: Predicate) -> Iterator[Predicate]:
    """Yield a condition and all that it is made of, from left to right."""
    pending = [predicate]
    while pending:
        term = pending.pop()
        yield term
        pending += reversed(term.children)


def comparisons(predicate: Predicate) -> Iterator[Comparison]:
    """Yield the comparisons of a condition from left to right."""
    return (each for each in walk(predicate) if isinstance(each, Comparison))


def attributes(*predicates: Predicate) -> dict[str, Attribute]:
    """Return the attributes that conditions are about, by name, in the order of the text."""
    return {a.attribute.name: a.attribute for each in predicates for a in comparisons(each)}


def literals(predicate: Predicate, negated: bool = False) -> Iterator[tuple[Comparison, bool]]:
    """Yield the comparisons, and whether each is negated once every `not` has moved inwards."""
    if isinstance(predicate, Comparison):
        yield predicate, negated
    for child in predicate.children:
        yield from literals(child, negated != isinstance(predicate, Not))


def conjuncts(predicate: Predicate, factor: float = 1.0) -> Iterator[tuple[Predicate, float]]:
    """Yield the terms of outer `and`s, and the factor that those give to the energy of each."""
    if isinstance(predicate, And):
        inner = factor * predicate.weight / (predicate.temp or 1.0)
        for term in predicate.terms:
            yield from conjuncts(term, inner)
    else:
        yield predicate, factor


# Clauses

Negation: TypeAlias = tuple[Literal["complement"]] | tuple[Literal["contrast"], float]


@frozen(eq=False, repr=False)
class ConditionOptions(Record):
    """What a statement's clauses say of all of its conditions.

    Attributes:
        temp: divides the energy of every comparison of classes without a temperature of its own.
        logit_temp: the same in the paper's form; never together with `temp`.
        negation: the complement, or the paper's contrast and its lambda.
        disjunction: how the disjuncts of an `or` are weighed; `exact` takes the probability of the
            Boolean formula instead of a mixture.
        sigma: where the spread of measured attributes comes from.
    """

    temp: float | None
    logit_temp: float | None
    negation: Negation
    disjunction: Literal["equal", "balanced", "exact"]
    sigma: Literal["residual", "paper"]


def temperatures(
    predicate: Predicate, options: ConditionOptions
) -> tuple[float | None, float | None]:
    """Return the temperature in force at a predicate, and that of its logits; one is None.

    A statement's own is for comparisons of classes that have none themselves.
    """
    own = predicate.temp is not None or predicate.logit_temp is not None
    if own or not isinstance(predicate, ClassComparison):
        return predicate.temp, predicate.logit_temp
    return options.temp, options.logit_temp


def reached(predicate: Predicate, denied: bool = False) -> Iterator[bool]:
    """Yield, for each comparison that a statement's temperature reaches, if it is under `not`."""
    own = predicate.temp is not None or predicate.logit_temp is not None
    if isinstance(predicate, ClassComparison) and not own:
        yield denied
    for child in predicate.children:
        yield from reached(child, denied or isinstance(predicate, Not | Xor))


def factors(whole: Predicate, options: ConditionOptions) -> Iterator[tuple[Span, float]]:
    """Yield where the comparisons stand, and what multiplies the energy of each."""
    # The weight of a disjunct is its odds, and multiplies no energy.
    pending = [(whole, 1.0, False)]
    while pending:
        predicate, factor, odds = pending.pop()
        if predicate.weight == 0:
            continue  # it has no effect
        plain, logit = temperatures(predicate, options)
        temp = logit if plain is None else plain
        factor *= 1.0 if odds else predicate.weight
        if temp is not None:
            # The product of the temperatures of nested brackets may be 0.
            factor = factor / temp if temp else math.inf
        if not predicate.children:
            yield predicate.span, factor
        if isinstance(predicate, Not | Xor) and options.negation[0] == "contrast":
            factor *= options.negation[1] ** max(1, len(predicate.children) - 1)
        odds = isinstance(predicate, Or)
        pending += [(term, factor, odds) for term in reversed(predicate.children)]
