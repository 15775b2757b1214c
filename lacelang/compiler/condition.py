"""Conditions of the checked program as energies, given what a model's classifiers say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

import torch
from attrs import evolve, frozen

from lacelang import energy, ir
from lacelang.energy import Node, Outputs, Scope
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
    return {a.name: a.paper_sigma for a in spec.attributes if a.paper_sigma is not None}


def balance(node: Node, outputs: Outputs) -> Node:
    """Divide the odds of every `or`'s disjuncts by their probabilities under the prior.

    A disjunct that the prior nearly satisfies would otherwise be the only one seen. `outputs` are
    the classifiers' at draws from the prior.
    """
    scope = Scope(outputs)

    def change(node: Node) -> Node:
        balanced = energy.map_children(node, once)
        if isinstance(node, energy.Or) and isinstance(balanced, energy.Or):
            shares = [_share(term, scope) for term in node.terms]
            odds = tuple(w / share for w, share in zip(node.weights, shares, strict=True))
            return energy.Balanced(balanced.terms, odds, node.weights)
        return balanced

    once = cache(change)
    with torch.no_grad():
        return once(node)


def _share(term: Node, scope: Scope) -> float:
    probability = torch.exp(-scope.energy(term).double().clamp_min(0.0)).mean().item()
    # Three digits, so that the last bits of a mean do not reach the samples.
    return max(float(f"{probability:.3g}"), RAREST)


@frozen
class Settings:
    """A statement's clauses, and by continuous attribute the spread in its unit."""

    sigma: Mapping[str, float]
    options: ir.ConditionOptions


def lower(predicate: ir.Predicate, settings: Settings) -> Node:
    """Return the energy of a condition, its own weight included.

    Raises:
        UsageError: an attribute has no spread, or a negative energy stands under a complement; a
            checked statement with a fitting classifier has neither.
    """
    sums = settings.options.disjunction != "exact"
    return _energy(ir.simplified(ir.And((predicate,)), sums), settings)


def _energy(predicate: ir.Predicate, settings: Settings) -> Node:
    """Lower a simplified predicate; its weight is left to the parent."""
    node: Node
    match predicate:
        case ir.ClassComparison():
            return _of_classes(predicate, settings)
        case ir.OwnTerm(name=name):
            node = energy.Own(energy.own_key(name))
        case ir.NumberComparison(attribute=attribute):
            if attribute.name not in settings.sigma:
                what = attribute.name
                raise UsageError(f"the classifiers do not say how exact they are about {what}")
            numbers = (getattr(predicate, name) for name in predicate.numbers)
            sigma = settings.sigma[attribute.name]
            if isinstance(predicate, ir.DrawnValue | ir.DrawnRange):
                node = energy.NormalAt(energy.Wanted(attribute.name), 0.0, sigma)
            else:
                node = _OF_NUMBERS[type(predicate)](attribute.name, *numbers, sigma)
        case ir.Group() | ir.Not() if settings.options.disjunction == "exact":
            node = _formula(evolve(predicate, temp=None), settings)
        case ir.And(terms=terms):
            weights = [term.weight for term in terms]
            node = energy.conjunction([_energy(term, settings) for term in terms], weights)
        case ir.Or(terms=terms):
            weights = [term.weight for term in terms]
            node = energy.disjunction([_energy(term, settings) for term in terms], weights)
        case ir.Xor(terms=terms):
            node, *others = (_energy(term, settings) for term in terms)
            for other in others:
                sides = node, other
                not_both = _negated(energy.conjunction(sides), settings)
                node = energy.conjunction([energy.disjunction(sides), not_both])
        case ir.Not(term=term):
            node = _negated(_energy(term, settings), settings)
    return energy.tempered(node, predicate.temp)


def _formula(predicate: ir.Predicate, settings: Settings) -> Node:
    """Return -log of the probability of a Boolean formula, given the latent.

    Attributes are independent given the latent, so that terms of an `and` that share none are as
    many energies. A term that is one comparison is its energy, to the last bit.
    """
    found = []
    for part in ir.parts(predicate, settings.options):
        if isinstance(part, ir.Predicate):
            found.append(_region(part, settings))
        elif part.value is False:
            return energy.negation(energy.conjunction(()))  # whatever else is asked for
        elif part.value is None:
            regions = tuple(_region(each, settings) for each in part.regions)
            found.append(energy.Formula(regions, part.nodes))
    return energy.conjunction(found)


def _region(predicate: ir.Predicate, settings: Settings) -> Node:
    """Lower a comparison or an event, its weight included, or its negation."""
    if isinstance(predicate, ir.Not) and not ir.is_event(predicate, settings.options):
        return energy.negation(_region(predicate.term, settings))
    node = _energy(evolve(predicate, weight=1.0), settings)
    return energy.conjunction([node], [predicate.weight])


def _negated(node: Node, settings: Settings) -> Node:
    negation = settings.options.negation
    return energy.Not(node) if len(negation) == 1 else energy.Contrast(node, negation[1])


def _of_classes(predicate: ir.ClassComparison, settings: Settings) -> Node:
    temp, logit_temp = ir.temperatures(predicate, settings.options)
    name: energy.Key = predicate.attribute.name
    classes = predicate.classes
    if isinstance(predicate, ir.DrawnClass):
        name, classes = energy.Wanted(predicate.attribute.name), frozenset({0})
    if isinstance(predicate, ir.Degree):
        # The logit form pushes past certainty, and a degree has nowhere to push.
        node: Node = energy.BernoulliKL(name, predicate.cls, predicate.degree)
        return energy.tempered(node, logit_temp if temp is None else temp)
    if temp is None and logit_temp is not None:
        return energy.LogitTempered(name, classes, logit_temp)
    return energy.tempered(energy.Surprisal(name, classes), temp)


_OF_NUMBERS: Mapping[type[ir.Predicate], Callable[..., Node]] = {
    ir.Equals: energy.NormalAt,
    ir.AtLeast: energy.NormalAbove,
    ir.AtMost: energy.NormalBelow,
    ir.Between: energy.NormalInside,
}
"""By comparison, the energy of an attribute's name, the comparison's numbers and sigma."""
