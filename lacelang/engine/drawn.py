"""Which value each sample of a statement gets, where its condition says `each`.

The values of a sample are a function of the condition, the seed and the sample's index. Any
stretch of samples has the stated proportions almost exactly, one attribute by one and jointly: a
choice with weights that sum to T takes T levels, and T1 T2 … consecutive samples see every
combination of levels once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lacelang import ir
from lacelang.energy import Outputs, Wanted
from lacelang.samplers.streams import DRAWN, stream
from lacelang.storage.records import DrawnValues, rounded

STRATA = 16
"""Parts of a range that are visited equally often."""

_GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0

Levels: TypeAlias = Sequence[Callable[[float], float]]
"""The values of a choice's levels, each given a number in [0, 1)."""


def values_of(where: ir.Predicate | None, seed: int, indices: Sequence[int]) -> NDArray[np.float64]:
    """Return the values of samples (N, m), by the m comparisons `ir.drawn(where)`.

    A class is its number, a value stands in the attribute's unit.
    """
    found = ir.drawn(where)
    values = np.empty((len(indices), len(found)))
    period = 1
    for k, leaf in enumerate(found):
        random = stream(seed, k, DRAWN)
        levels = _levels(leaf, random)
        turn, start = int(random.integers(len(levels))), random.random()
        # Within the period of all so far, a shift by one after every common period visits the
        # combinations that are left.
        common, period = math.lcm(period, len(levels)), period * len(levels)
        for row, index in enumerate(indices):
            level = levels[(turn + index + index % period // common) % len(levels)]
            value = rounded(level((start + index * _GOLDEN) % 1.0))
            assert value is not None
            values[row, k] = value
    return values


def _levels(leaf: ir.Drawn, random: np.random.Generator) -> Levels:
    if isinstance(leaf, ir.DrawnRange):
        width = (leaf.high - leaf.low) / STRATA
        order = random.permutation(STRATA).tolist()
        return [_stratum(leaf.low + width * k, width) for k in order]
    choices = [leaf.choices[k] for k in random.permutation(len(leaf.choices))]
    # Each value as evenly over the levels as its weight allows.
    places = [((n + 0.5) / weight, value) for value, weight in choices for n in range(weight)]
    return [_constant(value) for _, value in sorted(places, key=lambda place: place[0])]


def _stratum(low: float, width: float) -> Callable[[float], float]:
    return lambda share: low + width * share


def _constant(value: float) -> Callable[[float], float]:
    return lambda _: float(value)


def named(where: ir.Predicate | None, values: NDArray[np.float64]) -> list[DrawnValues]:
    """Return the values (N, m) of each sample by attribute, classes by their names."""
    found = ir.drawn(where)
    return [
        {
            leaf.attribute.name: leaf.attribute.values[int(value)]
            if isinstance(leaf, ir.DrawnClass)
            else value
            for leaf, value in zip(found, row, strict=True)
        }
        for row in values.tolist()
    ]


def wanted_columns(
    where: ir.Predicate | None, values: NDArray[np.float64]
) -> dict[Wanted, NDArray[np.float64]]:
    """Return the values (N, m) by the key of each, as `truth` takes them."""
    found = ir.drawn(where)
    return {Wanted(leaf.attribute.name): values[:, k] for k, leaf in enumerate(found)}


def relative(where: ir.Predicate | None, outputs: Outputs, values: Tensor) -> Outputs:
    """Add outputs relative to the wanted values (N, m): what an energy compares with.

    Of a number it is the difference; of a class the logits, in an order with the wanted class
    first.
    """
    added: dict[Wanted, Tensor] = {}
    for k, leaf in enumerate(ir.drawn(where)):
        name, wanted = leaf.attribute.name, values[:, k]
        output = outputs[name]
        if isinstance(leaf, ir.DrawnClass):
            classes = torch.arange(output.shape[1], device=output.device)
            order = (wanted.long()[:, None] + classes) % output.shape[1]
            added[Wanted(name)] = output.gather(1, order)
        else:
            added[Wanted(name)] = output - wanted.to(output)
    return {**outputs, **added} if added else outputs
