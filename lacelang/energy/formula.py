"""The probability of a Boolean formula: a sum over the paths of its decision diagram."""

from __future__ import annotations

from functools import cached_property
from typing import TypeAlias

import torch
from attrs import frozen
from torch import Tensor

from lacelang.energy.node import Joined, Scope
from lacelang.energy.numerics import nonnegative
from lacelang.errors import UsageError

FALSE, TRUE = 0, 1

Branch: TypeAlias = tuple[int, int]
"""The place of a term, and what follows if it holds: `FALSE`, `TRUE` or 2 + a node's place."""

Layer: TypeAlias = list[tuple[int, list[Branch]]]
"""Nodes that can be summed side by side: their places, and as many branches of each."""


@frozen(eq=False)
class Formula(Joined):
    """A formula holds: -log of the sum, over the paths to TRUE, of the product of their terms' p.

    The terms below a node of the diagram exclude one another, and one of them holds; those of one
    path are independent. So all summands are positive, and neither the sum nor that over the paths
    to FALSE, which is the denial, loses digits by a difference. It takes as many steps as the
    diagram has branches (Darwiche 2003), and those of nodes side by side are one.

    `diagram` has the branches of every node, below those that lead to it; the last is the root.
    """

    diagram: tuple[tuple[Branch, ...], ...]

    def __attrs_post_init__(self) -> None:
        if not self.closed:
            raise UsageError("a formula needs terms that are probabilities: energies of 0 or more")

    def evaluate(self, scope: Scope, holds: bool, complement: bool) -> Tensor:
        """See `Node`."""
        wanted = TRUE if holds != complement else FALSE
        used, layers = self._plans[wanted]
        logs = {place: -scope.energy(self.terms[place]) for place in used}
        found = {wanted: scope.constant(0.0)}
        for alike in layers:
            # (branches, nodes, N): what a branch comes to is log p of its term, and what follows.
            sums = torch.stack(
                [
                    torch.stack([logs[branches[i][0]] for _, branches in alike])
                    + torch.stack([found[branches[i][1]] for _, branches in alike])
                    for i in range(len(alike[0][1]))
                ]
            )
            totals = torch.logsumexp(sums, dim=0)
            found |= zip((place for place, _ in alike), totals.unbind(0), strict=True)
        return nonnegative(-found[1 + len(self.diagram)])

    @cached_property
    def _plans(self) -> tuple[tuple[list[int], list[Layer]], ...]:
        """By end, the places of the terms on paths to it, and what is summed, from below."""
        result = []
        for wanted in (FALSE, TRUE):
            depth = {FALSE: 0, TRUE: 0}
            layers: dict[tuple[int, int], Layer] = {}
            for place, branches in enumerate(self.diagram, start=2):
                depth[place] = 1 + max(depth[end] for _, end in branches)
                kept = [each for each in branches if each[1] != TRUE + FALSE - wanted]
                layers.setdefault((depth[place], len(kept)), []).append((place, kept))
            nodes = [node for layer in layers.values() for node in layer]
            used = sorted({term for _, branches in nodes for term, _ in branches})
            result.append((used, [layers[key] for key in sorted(layers)]))
        return tuple(result)
