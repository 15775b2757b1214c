"""Lower a checked predicate to energy nodes: DESIGN's table of meanings, row by row."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from lacelang import ir
from lacelang.energy import (
    And,
    AtLeast,
    AtMost,
    Between,
    Degree,
    Discrete,
    Equals,
    LogitTempered,
    Node,
    conjunction,
    contrast,
    disjunction,
    negation,
    tempered,
)
from lacelang.errors import UsageError


@frozen
class Settings:
    """What a statement's clauses say about all of its condition.

    Attributes:
        sigma: by continuous attribute, the spread of its energies in the attribute's unit.
        options: the clauses.
    """

    sigma: Mapping[str, float]
    options: ir.ConditionOptions


def lower(predicate: ir.Predicate, settings: Settings) -> Node:
    """Return the energy of a condition, its own weight included.

    Raises:
        UsageError: an attribute has no spread, or a negative energy stands under a complement; a
            checked statement with a fitting classifier has neither.
    """
    return conjunction([_term(predicate, settings)], [predicate.weight])


def _term(predicate: ir.Predicate, settings: Settings) -> Node:
    """Lower a predicate, its temperature included and its weight left to the parent."""
    match predicate:
        case ir.Discrete() | ir.Degree():
            return _discrete(predicate, settings)
        case ir.And(terms=terms):
            node = conjunction([_term(t, settings) for t in terms], [t.weight for t in terms])
        case ir.Or(terms=terms):
            node = disjunction([_term(t, settings) for t in terms], [t.weight for t in terms])
        case ir.Not(term=term):
            node = _negated(lower(term, settings), settings)
        case _:
            node = _continuous(predicate, settings)
    return tempered(node, predicate.temp)


def _negated(node: Node, settings: Settings) -> Node:
    if isinstance(node, And) and not node.terms:
        return node  # every term has weight 0: nothing is asked for, so nothing is denied
    if settings.options.negation[0] == "contrast":
        return contrast(node, settings.options.negation[1])
    return negation(node)


def _discrete(atom: ir.Discrete | ir.Degree, settings: Settings) -> Node:
    temp, logit_temp = ir.temperatures(atom, settings.options)
    name = atom.attribute.name
    if isinstance(atom, ir.Degree):
        # The logit form pushes past certainty, and a degree has nowhere to push.
        return tempered(Degree(name, atom.cls, atom.degree), logit_temp if temp is None else temp)
    if temp is None and logit_temp is not None:
        return LogitTempered(name, atom.classes, logit_temp)
    return tempered(Discrete(name, atom.classes), temp)


def _continuous(atom: ir.Predicate, settings: Settings) -> Node:
    match atom:
        case ir.Equals(attribute=a, value=value):
            return Equals(a.name, value, _sigma(a, settings))
        case ir.AtLeast(attribute=a, bound=bound):
            return AtLeast(a.name, bound, _sigma(a, settings))
        case ir.AtMost(attribute=a, bound=bound):
            return AtMost(a.name, bound, _sigma(a, settings))
        case ir.Between(attribute=a, low=low, high=high):
            return Between(a.name, low, high, _sigma(a, settings))
    raise UsageError(f"{type(atom).__name__} is no condition")


def _sigma(attribute: ir.Attribute, settings: Settings) -> float:
    if attribute.name not in settings.sigma:
        raise UsageError(f"the classifiers do not say how exact they are about {attribute.name}")
    return settings.sigma[attribute.name]
