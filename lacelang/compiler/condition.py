"""Conditions of the checked program as energies, given what a model's classifiers say."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from attrs import frozen

from lacelang import ir
from lacelang.energy import (
    Balanced,
    BernoulliKL,
    Contrast,
    LogitTempered,
    Node,
    NormalAbove,
    NormalAt,
    NormalBelow,
    NormalInside,
    Not,
    Or,
    Outputs,
    Scope,
    Surprisal,
    conjunction,
    disjunction,
    map_children,
    tempered,
)
from lacelang.errors import UsageError

RAREST = 1e-6
"""The least share that a disjunct is taken to have, so that its odds stay finite."""


def spread_of(
    options: ir.ConditionOptions, spec: ir.ModelSpec, residual: Mapping[str, float]
) -> Mapping[str, float]:
    """Return sigma by continuous attribute, in its unit, as the `sigma` clause says.

    `residual` are the classifiers' held-out residuals.
    """
    if options.sigma == "residual":
        return residual
    return {
        attribute.name: attribute.paper_sigma
        for attribute in spec.attributes
        if attribute.paper_sigma is not None
    }


def balance(node: Node, outputs: Outputs) -> Node:
    """Divide the odds of every `or`'s disjuncts by their probabilities under the prior.

    A disjunct that the prior nearly satisfies would otherwise be the only one seen. `outputs` are
    the classifiers' at draws from the prior.
    """
    with torch.no_grad():
        return _balance(node, Scope(outputs))


def _balance(node: Node, scope: Scope) -> Node:
    balanced = map_children(node, lambda below: _balance(below, scope))
    if isinstance(node, Or) and isinstance(balanced, Or):
        shares = [_share(term, scope) for term in node.terms]
        odds = tuple(w / share for w, share in zip(node.weights, shares, strict=True))
        return Balanced(balanced.terms, odds, node.weights)
    return balanced


def _share(term: Node, scope: Scope) -> float:
    probability = torch.exp(-scope.energy(term).double().clamp_min(0.0)).mean().item()
    # Three digits, so that the last bits of a mean do not reach the samples.
    return max(float(f"{probability:.3g}"), RAREST)


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
    return _energy(ir.simplified(ir.And((predicate,))), settings)


def _energy(predicate: ir.Predicate, settings: Settings) -> Node:
    """Lower a simplified predicate; its weight is left to the parent."""
    match predicate:
        case ir.ClassComparison():
            return _of_classes(predicate, settings)
        case ir.NumberComparison():
            node = _of_number(predicate, settings)
        case ir.And(terms=terms):
            node = conjunction([_energy(t, settings) for t in terms], [t.weight for t in terms])
        case ir.Or(terms=terms):
            node = disjunction([_energy(t, settings) for t in terms], [t.weight for t in terms])
        case ir.Not(term=term):
            node = _energy(term, settings)
            negation = settings.options.negation
            node = Not(node) if len(negation) == 1 else Contrast(node, negation[1])
    return tempered(node, predicate.temp)


def _of_classes(predicate: ir.ClassComparison, settings: Settings) -> Node:
    temp, logit_temp = ir.temperatures(predicate, settings.options)
    name = predicate.attribute.name
    if isinstance(predicate, ir.Degree):
        # The logit form pushes past certainty, and a degree has nowhere to push.
        node: Node = BernoulliKL(name, predicate.cls, predicate.degree)
        return tempered(node, logit_temp if temp is None else temp)
    if temp is None and logit_temp is not None:
        return LogitTempered(name, predicate.classes, logit_temp)
    return tempered(Surprisal(name, predicate.classes), temp)


def _of_number(predicate: ir.NumberComparison, settings: Settings) -> Node:
    name, sigma = predicate.attribute.name, _sigma(predicate.attribute, settings)
    match predicate:
        case ir.Equals(value=value):
            return NormalAt(name, value, sigma)
        case ir.AtLeast(bound=bound):
            return NormalAbove(name, bound, sigma)
        case ir.AtMost(bound=bound):
            return NormalBelow(name, bound, sigma)
        case ir.Between(low=low, high=high):
            return NormalInside(name, low, high, sigma)
    raise UsageError(f"{type(predicate).__name__} has no energy")


def _sigma(attribute: ir.Attribute, settings: Settings) -> float:
    if attribute.name not in settings.sigma:
        raise UsageError(f"the classifiers do not say how exact they are about {attribute.name}")
    return settings.sigma[attribute.name]
