"""Samples take turns at the arms of a balanced `or`.

A flow descends to the arm that is nearest to its draw, whatever the odds: where one arm is common
and another is rare, it sees the common one alone. But a mixture can be drawn from by choosing the
arm first, in the shares in which balanced odds show the arms, and the face then. So each sample is
given one arm of every balanced `or` before it moves. The odds of exact samplers need no such help.
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

Rows: TypeAlias = list[int]
Solve: TypeAlias = Callable[[Node, Rows], Solution]

#: Samples that change places with each other before an edit gives them their arms.
_BLOCK = 8


def by_component(node: Node, chosen: Sequence[Mapping[Balanced, int]], solve: Solve) -> Solution:
    """Solve a condition for samples that each take an arm of its balanced `or`s.

    Args:
        node: the condition.
        chosen: of each of N samples the arm that it takes, of `components_of`.
        solve: moves the samples at some places of 0..N-1 so that they meet a condition.

    Returns:
        The solutions of all N together.
    """
    places: dict[Node, Rows] = {}
    for place, arms in enumerate(chosen):
        places.setdefault(with_components(node, arms), []).append(place)
    return _together([(rows, solve(taken, rows)) for taken, rows in places.items()])


def components_of(
    nodes: Iterable[Node], sampler: str, seed: int, indices: Sequence[int], edit: int = 0
) -> list[dict[Balanced, int]]:
    """Choose an arm of every balanced `or` for each sample, by the seed and its index alone.

    Exact samplers are left to choose themselves.

    An additive recurrence from a random start: every arm has the probability that its written odds
    give it, and any few samples in a row share the arms out almost evenly, those of several `or`s
    against each other as well (Roberts 2018, the R sequence).

    Args:
        nodes: conditions, in which the same `or` is the same choice.
        sampler: its name.
        seed: of the run.
        indices: numbers of the samples.
        edit: 0 for a sample; for an edit, one more than the lines that came before it. What a face
            becomes by an edit has nothing to do with the arm that it began in, nor with that of
            another edit, so the samples change places first, a few neighbours among each other.
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
            arm = int(np.searchsorted(ends, at, side="right"))
            chosen[row][disjunction] = min(arm, len(ends) - 1)
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


def _together(parts: Sequence[tuple[Rows, Solution]]) -> Solution:
    """One solution of all samples, each in its place."""
    if len(parts) == 1:
        ((_, whole),) = parts
        return whole
    order = torch.tensor([row for rows, _ in parts for row in rows]).argsort()

    def joined(values: Iterable[Tensor]) -> Tensor:
        whole = torch.cat(list(values))
        return whole[order.to(whole.device)]

    solutions = [solution for _, solution in parts]
    statuses = [status for solution in solutions for status in solution.status]
    return Solution(
        joined(s.z for s in solutions),
        joined(s.energy for s in solutions),
        tuple(statuses[k] for k in order.tolist()),
        Stats(
            joined(s.stats.nfe for s in solutions),
            joined(s.stats.accepted for s in solutions),
            joined(s.stats.rejected for s in solutions),
        ),
        {name: joined(s.extra[name] for s in solutions) for name in solutions[0].extra},
    )
