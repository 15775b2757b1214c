"""`disjunction balanced`: odds that let every disjunct of an `or` be seen."""

from __future__ import annotations

import torch

from lacelang.energy import Balanced, Node, Or, Outputs, Scope, map_children

RAREST = 1e-6
"""The least share that a disjunct is taken to have, so that its odds stay finite."""


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
