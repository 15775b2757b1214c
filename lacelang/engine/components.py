"""Assignment of samples to the disjuncts of a balanced `or`.

A flow descends to the disjunct nearest to its draw, whatever the odds, so that all samples may end
in a common one. A mixture can be drawn from by choosing the component first: each sample gets one
disjunct of every balanced `or`, by the odds, before it moves. Exact samplers choose themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor

from lacelang.energy import Balanced, Node, balanced, with_components
from lacelang.samplers import SAMPLERS
from lacelang.samplers.solution import Solution, Stats
from lacelang.samplers.streams import COMPONENT, PERMUTATION, stream
from lacelang.samplers.trace import Trace

Rows: TypeAlias = list[int]
Solve: TypeAlias = Callable[[Node, Rows], Solution]

#: Consecutive samples that an edit permutes before it assigns them to disjuncts.
_BLOCK = 8


def by_component(
    node: Node,
    chosen: Sequence[Mapping[Balanced, int]],
    solve: Solve,
    apart: Sequence[Sequence[float]] | None = None,
) -> Solution:
    """Solve a condition for N samples, each with the disjuncts that `components_of` chose for it.

    `solve` moves the samples of some of the rows so that they meet a condition. Samples whose
    `apart`, by row, differ are not solved together.
    """
    rows_of: dict[tuple[Node, tuple[float, ...]], Rows] = {}
    for row, disjuncts in enumerate(chosen):
        key = with_components(node, disjuncts), tuple(apart[row]) if apart else ()
        rows_of.setdefault(key, []).append(row)
    solutions = [solve(component, rows) for (component, _), rows in rows_of.items()]
    if len(solutions) == 1:
        return solutions[0]
    order = torch.tensor([row for rows in rows_of.values() for row in rows]).argsort()

    def joined(parts: Iterable[Tensor]) -> Tensor:
        whole = torch.cat(list(parts))
        return whole[order.to(whole.device)]

    statuses = [status for solution in solutions for status in solution.status]
    stats = [solution.stats for solution in solutions]
    return Solution(
        joined(s.z for s in solutions),
        joined(s.energy for s in solutions),
        tuple(statuses[k] for k in order.tolist()),
        Stats(
            joined(s.nfe for s in stats),
            joined(s.accepted for s in stats),
            joined(s.rejected for s in stats),
        ),
        {name: joined(s.extra[name] for s in solutions) for name in solutions[0].extra},
        Trace.joined(zip((s.trace for s in solutions), rows_of.values(), strict=True)),
    )


def components_of(
    nodes: Iterable[Node], sampler: str, seed: int, indices: Sequence[int], edit: int = 0
) -> list[dict[Balanced, int]]:
    """Choose a disjunct of every balanced `or` for each sample, by the seed and its index alone.

    By an additive recurrence from a random start (Roberts 2018, the R sequence): a disjunct has the
    probability of its written odds, and any few consecutive samples share the disjuncts almost
    evenly, also those of several `or`s. The same `or` in several nodes is the same choice.

    `edit` is 0 for a sample; for an edit, one more than the lines before it. Edits permute
    neighbours first, so that the choice is independent of earlier ones.
    """
    found = () if SAMPLERS[sampler].exact else (each for node in nodes for each in balanced(node))
    disjunctions = tuple(dict.fromkeys(found))
    root = _root(len(disjunctions))
    chosen: list[dict[Balanced, int]] = [{} for _ in indices]
    places = [_place(seed, edit, index) for index in indices] if edit else indices
    for number, disjunction in enumerate(disjunctions):
        start, step = stream(seed, number, COMPONENT).random(), root ** -(number + 1)
        ends = np.cumsum(disjunction.written) / sum(disjunction.written)
        for row, place in enumerate(places):
            at = (start + place * step) % 1.0
            disjunct = int(np.searchsorted(ends, at, side="right"))
            chosen[row][disjunction] = min(disjunct, len(ends) - 1)
    return chosen


def _place(seed: int, edit: int, index: int) -> int:
    block, place = divmod(index, _BLOCK)
    order = stream(seed, edit, PERMUTATION, block).permutation(_BLOCK)
    return block * _BLOCK + int(order[place])


def _root(dimensions: int) -> float:
    """The root above 1 of x^(d+1) = x + 1; the golden ratio for one dimension."""
    root = 2.0
    for _ in range(64):
        root = (1.0 + root) ** (1.0 / (dimensions + 1))
    return root
