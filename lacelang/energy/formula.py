"""The probability of a Boolean formula: a sum over the paths of its decision diagram."""

from __future__ import annotations

from functools import cache, cached_property
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
        log = cache(lambda place: -scope.energy(self.terms[place]))
        found = {wanted: scope.constant(0.0)}
        for alike in self._layers[wanted]:
            # (branches, nodes, N): what a branch comes to is log p of its term, and what follows.
            sums = torch.stack(
                [
                    torch.stack([log(branches[i][0]) for _, branches in alike])
                    + torch.stack([found[branches[i][1]] for _, branches in alike])
                    for i in range(len(alike[0][1]))
                ]
            )
            totals = torch.logsumexp(sums, dim=0)
            found |= zip((place for place, _ in alike), totals.unbind(0), strict=True)
        return nonnegative(-found[1 + len(self.diagram)])

    @cached_property
    def _layers(self) -> tuple[list[list[tuple[int, list[Branch]]]], ...]:
        """Nodes that can be summed side by side, with their branches to each end, from below.

        Branches to the other end are left out.
        """
        result = []
        for wanted in (FALSE, TRUE):
            depth = {FALSE: 0, TRUE: 0}
            layers: dict[tuple[int, int], list[tuple[int, list[Branch]]]] = {}
            for place, branches in enumerate(self.diagram, start=2):
                depth[place] = 1 + max(depth[end] for _, end in branches)
                kept = [each for each in branches if each[1] != TRUE + FALSE - wanted]
                layers.setdefault((depth[place], len(kept)), []).append((place, kept))
            result.append([layers[key] for key in sorted(layers)])
        return tuple(result)
