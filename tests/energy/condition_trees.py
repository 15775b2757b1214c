"""Generated conditions over five heads, and generated outputs of those heads."""

from __future__ import annotations

import torch
from hypothesis import strategies as st

from lacelang.energy import (
    AtLeast,
    AtMost,
    Between,
    Degree,
    Discrete,
    Equals,
    Node,
    Outputs,
    conjunction,
    disjunction,
    negation,
    tempered,
)

BINARY = ("smile", "glasses")
CHOICE, CLASSES = "hair", 4
CONTINUOUS = ("age", "yaw")

weights = st.sampled_from([0.1, 0.5, 1.0, 1.0, 2.0, 7.0])
temperatures = st.sampled_from([0.25, 0.5, 1.0, 3.0])
sigmas = st.sampled_from([0.5, 1.0, 4.0])
numbers = st.floats(-20.0, 20.0, width=32)


@st.composite
def atoms(draw: st.DrawFn) -> Node:
    kind = draw(st.integers(0, 6))
    if kind == 0:
        return Discrete(draw(st.sampled_from(BINARY)), {draw(st.integers(0, 1))})
    if kind == 1:
        return Discrete(CHOICE, draw(st.sets(st.integers(0, CLASSES - 1), min_size=1)))
    if kind == 2:
        name = draw(st.sampled_from(BINARY))
        return Degree(name, 1, draw(st.sampled_from([0.0, 0.2, 0.6, 1.0])))
    name, sigma, value = draw(st.sampled_from(CONTINUOUS)), draw(sigmas), draw(numbers)
    if kind == 3:
        return Equals(name, value, sigma)
    if kind == 4:
        return AtLeast(name, value, sigma)
    if kind == 5:
        return AtMost(name, value, sigma)
    return Between(name, value, value + draw(st.sampled_from([0.01, 1.0, 5.0, 50.0])), sigma)


def _grow(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    terms = st.lists(st.tuples(inner, weights), min_size=1, max_size=4)
    return st.one_of(
        terms.map(lambda pairs: conjunction(*zip(*pairs, strict=True))),
        terms.map(lambda pairs: disjunction(*zip(*pairs, strict=True))),
        inner.map(negation),
        st.tuples(inner, temperatures).map(lambda pair: tempered(*pair)),
    )


trees = st.recursive(atoms(), _grow, max_leaves=8)


def _without_or(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    terms = st.lists(st.tuples(inner, weights), min_size=1, max_size=4)
    return st.one_of(
        terms.map(lambda pairs: conjunction(*zip(*pairs, strict=True))),
        inner.map(negation),
        st.tuples(inner, temperatures).map(lambda pair: tempered(*pair)),
    )


trees_without_or = st.recursive(atoms(), _without_or, max_leaves=6)


@st.composite
def outputs(
    draw: st.DrawFn, bound: float = 8.0, rows: int = 3, dtype: torch.dtype = torch.float64
) -> Outputs:
    """Head outputs up to `bound`; extreme ones and equal ones are drawn often."""
    number = st.one_of(
        st.floats(-bound, bound, width=32), st.sampled_from([-bound, 0.0, bound, bound / 2])
    )

    def tensor(*shape: int) -> torch.Tensor:
        count = int(torch.tensor(shape).prod())
        values = draw(st.lists(number, min_size=count, max_size=count))
        return torch.tensor(values, dtype=dtype).reshape(shape)

    return {
        **{name: tensor(rows, 2) for name in BINARY},
        CHOICE: tensor(rows, CLASSES),
        **{name: tensor(rows) for name in CONTINUOUS},
    }


def gradients(node: Node, heads: Outputs) -> dict[str, torch.Tensor]:
    """The energy's gradient by every head."""
    leaves = {name: head.clone().requires_grad_() for name, head in heads.items()}
    energy = node(leaves)
    if not energy.requires_grad:
        return {name: torch.zeros_like(head) for name, head in heads.items()}
    found = torch.autograd.grad(energy.sum(), list(leaves.values()), allow_unused=True)
    return {
        name: torch.zeros_like(leaf) if gradient is None else gradient
        for (name, leaf), gradient in zip(leaves.items(), found, strict=True)
    }
