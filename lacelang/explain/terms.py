"""Conditions as trees of terms, each with its energy in short."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from attrs import evolve

from lacelang import ir
from lacelang.explain.formulas import formula
from lacelang.explain.shape import Kind, Term
from lacelang.semantics.display import grouped, is_plain

_KINDS: Mapping[type[ir.Predicate], Kind] = {
    ir.Discrete: "discrete",
    ir.Degree: "degree",
    ir.Equals: "equals",
    ir.AtLeast: "at_least",
    ir.AtMost: "at_most",
    ir.Between: "between",
    ir.And: "and",
    ir.Or: "or",
    ir.Not: "not",
}


def term_of(predicate: ir.Predicate, options: ir.ConditionOptions) -> Term:
    """Return the tree of a condition under its statement's clauses."""
    temp, logit = ir.temperatures(predicate, options)
    text, plain = _bare(predicate), _joined(predicate)
    term = Term(
        kind=_KINDS[type(predicate)],
        text=text,
        rewritten=plain is not None and text != plain,
        formula=formula(predicate, options),
        weight=predicate.weight,
        temp=temp,
        logit_temp=logit,
        via=predicate.via,
    )
    match predicate:
        case ir.And(terms=terms):
            return evolve(term, terms=tuple(term_of(t, options) for t in terms))
        case ir.Or(terms=terms):
            arms = [term_of(t, options) for t in terms]
            if options.disjunction == "equal":
                weights = [sum(disjunct_weights(t)) for t in terms]
                whole = sum(weights)
                arms = [evolve(a, odds=w / whole) for a, w in zip(arms, weights, strict=True)]
            return evolve(term, terms=tuple(arms))
        case ir.Not(term=inner):
            return evolve(term, terms=(term_of(inner, options),))
    (comparison,) = ir.comparisons(predicate)
    attribute = comparison.attribute
    sigma = attribute.paper_sigma if options.sigma == "paper" else None
    return evolve(term, attribute=attribute.name, unit=attribute.unit, sigma=sigma)


def disjunct_weights(arm: ir.Predicate) -> list[float]:
    """Return the weight of a term of an `or`, or, if it comes to an `or` itself, its arms'.

    `not not (b or c)` is `b or c`, and so is `(b or c) and d [weight 0]`: their arms join those of
    an `or` around them.
    """
    peeled = _peeled(arm)
    if isinstance(peeled, ir.Or) and _changes_nothing(peeled):
        return [weight for term in peeled.terms for weight in disjunct_weights(term)]
    return [arm.weight]


def _peeled(predicate: ir.Predicate) -> ir.Predicate:
    """Return what is left of a predicate when all that changes nothing is taken off it."""
    if not _changes_nothing(predicate):
        return predicate
    match predicate:
        case ir.Not():
            denied = _peeled(predicate.term)
            if isinstance(denied, ir.Not) and _changes_nothing(denied):
                return _peeled(denied.term)
        case ir.And():
            kept = list(_conjuncts(predicate))
            if len(kept) == 1 and kept[0][0] == 1.0:
                return kept[0][1]
        case ir.Or():
            arms = [term for term in predicate.terms if term.weight > 0]
            if len(arms) == 1:  # the weight of an only arm is odds against nothing
                return _peeled(evolve(arms[0], weight=1.0))
    return predicate


def _conjuncts(predicate: ir.And) -> Iterator[tuple[float, ir.Predicate]]:
    """Yield the terms of an `and`, those of nested ones among them, with their weights."""
    for term in predicate.terms:
        bare = _peeled(evolve(term, weight=1.0))
        if term.weight > 0 and isinstance(bare, ir.And) and _changes_nothing(bare):
            yield from ((term.weight * weight, inner) for weight, inner in _conjuncts(bare))
        elif term.weight > 0:
            yield term.weight, bare


def _changes_nothing(predicate: ir.Predicate) -> bool:
    return predicate.weight == 1 and predicate.temp in (None, 1.0)


def _bare(predicate: ir.Predicate) -> str:
    """Return the source form without the settings behind it, and without brackets for them."""
    text = " ".join(predicate.text.split())
    connective = isinstance(predicate, ir.And | ir.Or | ir.Not)
    if connective and is_plain(predicate):
        return text  # what its last term carries is not its own
    bare = text
    while bare.endswith("]"):
        bare = bare[: bare.rindex(" [")]
    bracketed = connective and bare != text and bare.startswith("(")
    return bare[1:-1] if bracketed else bare


def _joined(predicate: ir.Predicate) -> str | None:
    """Return what a connective's terms look like when they are written with it."""
    match predicate:
        case ir.And(terms=terms):
            return " and ".join(grouped(t) for t in terms)
        case ir.Or(terms=terms):
            return " or ".join(grouped(t) for t in terms)
        case ir.Not(term=term):
            return f"not {grouped(term)}"
    return None
