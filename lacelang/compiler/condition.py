"""The energy of one `sample` statement, given a model's classifiers."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Protocol, TypeVar

import torch

from lacelang import ir
from lacelang.compiler.lower import Settings, lower
from lacelang.energy import Balanced, Features, Node, Or, Outputs, Scope, map_children
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


def compile_condition(statement: ir.SampleStatement, model: LoadedModel) -> Node:
    """Return the energy of a statement's condition, all of its clauses included.

    Raises:
        UsageError: the statement has no condition.
        ResourceError: the model's classifiers cannot be had.
    """
    if statement.where is None:
        raise UsageError(f"the group {statement.name!r} has no condition, so it has no energy")
    meaning = meaning_of(statement.options, statement.model, model, statement.truncation)
    return meaning(statement.where)


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
