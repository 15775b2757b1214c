"""Strategies: conditions as energies of five heads, what the heads say, and targets of samplers.

The heads are those of two yes-or-no attributes, `smile` and `glasses`, of `hair`, which has four
classes, and of two numbers, `age` and `yaw`.
"""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
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


def comparisons() -> st.SearchStrategy[Node]:
    """Comparisons of one head."""
    binary, number = st.sampled_from(BINARY), st.sampled_from(CONTINUOUS)
    value, width = st.floats(-20.0, 20.0, width=32), st.sampled_from([0.01, 1.0, 5.0, 50.0])
    sigma = st.sampled_from([0.5, 1.0, 4.0])
    return st.one_of(
        st.builds(Surprisal, binary, st.sampled_from([{0}, {1}])),
        st.builds(Surprisal, st.just(CHOICE), st.sets(st.integers(0, CLASSES - 1), min_size=1)),
        st.builds(BernoulliKL, binary, st.just(1), st.sampled_from([0.0, 0.2, 0.6, 1.0])),
        *(st.builds(kind, number, value, sigma) for kind in (NormalAt, NormalAbove, NormalBelow)),
        st.tuples(number, value, width, sigma).map(
            lambda drawn: NormalInside(drawn[0], drawn[1], drawn[1] + drawn[2], drawn[3])
        ),
    )


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


def outputs(
    bound: float = 8.0, rows: int = 3, dtype: torch.dtype = torch.float64
) -> st.SearchStrategy[Outputs]:
    """Outputs of the heads, (rows,) or (rows, classes), up to `bound`; often exactly that."""
    number = st.one_of(
        st.floats(-bound, bound, width=32), st.sampled_from([-bound, 0.0, bound, bound / 2])
    )

    def tensors(*shape: int) -> st.SearchStrategy[Tensor]:
        drawn = arrays(np.float64, shape, elements=number, fill=st.nothing())
        return drawn.map(lambda array: torch.from_numpy(array).to(dtype))

    return st.fixed_dictionaries(
        {
            **{name: tensors(rows, 2) for name in BINARY},
            CHOICE: tensors(rows, CLASSES),
            **{name: tensors(rows) for name in CONTINUOUS},
        }
    )


def targets(max_dim: int = 8) -> st.SearchStrategy[tuple[Target, int]]:
    """Targets of samplers, each with the length of its latents, 2 to `max_dim`."""
    nodes = st.sampled_from([ridge.node for ridge in RIDGES.values()])
    ridges = st.builds(Ridge, nodes, st.integers(2, max_dim))
    return ridges.map(lambda ridge: (Target.of(ridge.energy), ridge.dim))
