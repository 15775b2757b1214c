"""`disjunction balanced`: odds that let every arm of an `or` be seen."""

from __future__ import annotations

import torch
from attrs import evolve

from lacelang.energy import And, Contrast, Node, Not, Or, Outputs, Scope, Tempered

RAREST = 1e-6
"""The least share that an arm is taken to have, so that its odds stay finite."""


def balance(node: Node, outputs: Outputs) -> Node:
    """Divide the odds of every `or`'s arms by the arms' probabilities under the prior.

    An arm that the prior nearly satisfies would otherwise be the only one seen.

    Args:
        node: the condition.
        outputs: of the classifiers at draws from the prior.
    """
    with torch.no_grad():
        return _balance(node, Scope(outputs))


def _balance(node: Node, scope: Scope) -> Node:
    if isinstance(node, And):
        return evolve(node, terms=tuple(_balance(term, scope) for term in node.terms))
    if isinstance(node, Or):
        terms = tuple(_balance(term, scope) for term in node.terms)
        shares = [_share(term, scope) for term in node.terms]
        odds = tuple(w / share for w, share in zip(node.weights, shares, strict=True))
        return evolve(node, terms=terms, weights=odds)
    if isinstance(node, Not | Tempered | Contrast):
        return evolve(node, term=_balance(node.term, scope))
    return node


def _share(arm: Node, scope: Scope) -> float:
    probability = torch.exp(-scope.energy(arm).double().clamp_min(0.0)).mean().item()
    # Three digits, so that the last bits of a mean do not reach the samples.
    return max(float(f"{probability:.3g}"), RAREST)
