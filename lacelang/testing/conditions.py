"""Strategies: conditions as energies of five heads, what the heads say, and targets of samplers.

The heads are those of two yes-or-no attributes, `smile` and `glasses`, of `hair`, which has four
classes, and of two numbers, `age` and `yaw`.
"""

from __future__ import annotations

import torch
from hypothesis import strategies as st
from torch import Tensor

from lacelang.energy import (
    BernoulliKL,
    Node,
    NormalAbove,
    NormalAt,
    NormalBelow,
    NormalInside,
    Outputs,
    Surprisal,
    conjunction,
    disjunction,
    negation,
    tempered,
)
from lacelang.samplers.problem import Target
from lacelang.testing.targets import RIDGES, Ridge

BINARY = ("smile", "glasses")
CHOICE, CLASSES = "hair", 4
CONTINUOUS = ("age", "yaw")

_WEIGHTS = st.sampled_from([0.1, 0.5, 1.0, 1.0, 2.0, 7.0])
_TEMPERATURES = st.sampled_from([0.25, 0.5, 1.0, 3.0])


@st.composite
def comparisons(draw: st.DrawFn) -> Node:
    """Comparisons of one head."""
    kind = draw(st.integers(0, 6))
    if kind == 0:
        return Surprisal(draw(st.sampled_from(BINARY)), {draw(st.integers(0, 1))})
    if kind == 1:
        return Surprisal(CHOICE, draw(st.sets(st.integers(0, CLASSES - 1), min_size=1)))
    if kind == 2:
        name = draw(st.sampled_from(BINARY))
        return BernoulliKL(name, 1, draw(st.sampled_from([0.0, 0.2, 0.6, 1.0])))
    name, value = draw(st.sampled_from(CONTINUOUS)), draw(st.floats(-20.0, 20.0, width=32))
    sigma = draw(st.sampled_from([0.5, 1.0, 4.0]))
    if kind == 6:
        high = value + draw(st.sampled_from([0.01, 1.0, 5.0, 50.0]))
        return NormalInside(name, value, high, sigma)
    one: Node = (NormalAt, NormalAbove, NormalBelow)[kind - 3](name, value, sigma)
    return one


def conditions(max_leaves: int = 8, with_or: bool = True) -> st.SearchStrategy[Node]:
    """Conditions of comparisons with weights and temperatures under `and`, `or` and `not`."""

    def grow(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
        terms = st.lists(st.tuples(inner, _WEIGHTS), min_size=1, max_size=4)
        joins = [conjunction, disjunction] if with_or else [conjunction]
        joined = st.tuples(st.sampled_from(joins), terms)
        return st.one_of(
            joined.map(lambda pair: pair[0](*zip(*pair[1], strict=True))),
            inner.map(negation),
            st.tuples(inner, _TEMPERATURES).map(lambda pair: tempered(*pair)),
        )

    return st.recursive(comparisons(), grow, max_leaves=max_leaves)


@st.composite
def outputs(
    draw: st.DrawFn, bound: float = 8.0, rows: int = 3, dtype: torch.dtype = torch.float64
) -> Outputs:
    """Outputs of the heads, (rows,) or (rows, classes), up to `bound`; often exactly that."""
    number = st.one_of(
        st.floats(-bound, bound, width=32), st.sampled_from([-bound, 0.0, bound, bound / 2])
    )

    def tensor(*shape: int) -> Tensor:
        count = int(torch.tensor(shape).prod())
        values = draw(st.lists(number, min_size=count, max_size=count))
        return torch.tensor(values, dtype=dtype).reshape(shape)

    return {
        **{name: tensor(rows, 2) for name in BINARY},
        CHOICE: tensor(rows, CLASSES),
        **{name: tensor(rows) for name in CONTINUOUS},
    }


def targets(max_dim: int = 8) -> st.SearchStrategy[tuple[Target, int]]:
    """Targets of samplers, each with the length of its latents, 2 to `max_dim`."""
    nodes = st.sampled_from([ridge.node for ridge in RIDGES.values()])
    ridges = st.builds(Ridge, nodes, st.integers(2, max_dim))
    return ridges.map(lambda ridge: (Target.of(ridge.energy), ridge.dim))
