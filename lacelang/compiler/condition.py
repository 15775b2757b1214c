"""Conditions of the checked program as energies, given a model's classifiers."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Protocol, TypeVar

import torch
from attrs import frozen

from lacelang import ir
from lacelang.energy import (
    AtLeast,
    AtMost,
    Balanced,
    Between,
    Contrast,
    Degree,
    Discrete,
    Equals,
    Features,
    LogitTempered,
    Node,
    Not,
    Or,
    Outputs,
    Scope,
    conjunction,
    disjunction,
    map_children,
    tempered,
)
from lacelang.errors import UsageError
from lacelang.generators.generator import Generator
from lacelang.rows import named_in_blocks
from lacelang.samplers.streams import prior
from lacelang.system.torch_state import isolated

BALANCE_DRAWS = 4096
BALANCE_SEED = 0

RAREST = 1e-6
"""The least share that a disjunct is taken to have, so that its odds stay finite."""

Result = TypeVar("Result")


class LoadedModel(Protocol):
    """What the compiler asks of a loaded model: see `lacelang.engine.loading.Model`."""

    @property
    def sigma(self) -> Mapping[str, float]:
        """By continuous attribute, the classifier's held-out residual in the attribute's unit."""

    @property
    def generator(self) -> Generator:
        """Whose latents the conditions are on."""

    @property
    def device(self) -> torch.device:
        """Where the latents must be."""

    def features(self, truncation: float) -> Features:
        """Return the function from latents z (N, d) to the classifiers' outputs."""

    def remembered(self, key: Hashable, make: Callable[[], Result]) -> Result:
        """Return what `make` computed for the model under this key, now or earlier."""


def meaning_of(
    options: ir.ConditionOptions, spec: ir.ModelSpec, model: LoadedModel, truncation: float
) -> Callable[[ir.Predicate], Node]:
    """Return the function from conditions to energies that a statement's clauses make.

    Args:
        options: the clauses.
        spec: the statement's model, as declared.
        model: the same, loaded.
        truncation: of the samples.

    Raises:
        ResourceError: the model's classifiers cannot be had.
    """
    settings = Settings(spread_of(options, spec, model.sigma), options)
    if options.disjunction == "equal":
        return lambda predicate: lower(predicate, settings)
    # Statements and prompts share them: the networks' pass is all that balancing costs.
    key = "balancing draws", truncation
    outputs = model.remembered(key, lambda: _outputs_at_draws(model, truncation))
    return lambda predicate: balance(lower(predicate, settings), outputs)


def _outputs_at_draws(model: LoadedModel, truncation: float) -> Outputs:
    """What the classifiers say of the draws that the disjuncts of an `or` are balanced on."""
    z = prior(BALANCE_SEED, range(BALANCE_DRAWS), model.generator.latent_dim)
    with isolated(), torch.no_grad():
        return named_in_blocks(model.features(truncation), z.to(model.device))


def spread_of(
    options: ir.ConditionOptions, spec: ir.ModelSpec, residual: Mapping[str, float]
) -> Mapping[str, float]:
    """Return sigma by continuous attribute, in its unit, as the `sigma` clause says.

    Args:
        options: with `sigma residual` (the default) or `sigma paper`.
        spec: the model, as declared.
        residual: the classifiers' held-out residuals.
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

    A disjunct that the prior nearly satisfies would otherwise be the only one seen.

    Args:
        node: the condition.
        outputs: of the classifiers at draws from the prior.
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
        node: Node = Degree(name, predicate.cls, predicate.degree)
        return tempered(node, logit_temp if temp is None else temp)
    if temp is None and logit_temp is not None:
        return LogitTempered(name, predicate.classes, logit_temp)
    return tempered(Discrete(name, predicate.classes), temp)


def _of_number(predicate: ir.NumberComparison, settings: Settings) -> Node:
    name, sigma = predicate.attribute.name, _sigma(predicate.attribute, settings)
    match predicate:
        case ir.Equals(value=value):
            return Equals(name, value, sigma)
        case ir.AtLeast(bound=bound):
            return AtLeast(name, bound, sigma)
        case ir.AtMost(bound=bound):
            return AtMost(name, bound, sigma)
        case ir.Between(low=low, high=high):
            return Between(name, low, high, sigma)
    raise UsageError(f"{type(predicate).__name__} has no energy")


def _sigma(attribute: ir.Attribute, settings: Settings) -> float:
    if attribute.name not in settings.sigma:
        raise UsageError(f"the classifiers do not say how exact they are about {attribute.name}")
    return settings.sigma[attribute.name]
