"""The laws of conditions, from their text to their energies, on generated ones.

Each law is put to heads whose outputs are drawn at random, extreme ones among them, and to the real
classifiers on draws from the prior.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import pytest
import torch
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from lacelang import ir
from lacelang.compiler import Settings, lower
from lacelang.energy import Node, Outputs
from lacelang.semantics.check import check
from lacelang.semantics.modules import library_models
from lacelang.testing.laws import FORMULA_LAWS, LAWS, OF_MIXTURES, Algebra, Law, cases, slopes
from lacelang.testing.programs import discrete_comparisons, predicates

FFHQ = library_models()["ffhq"]
SIGMA = {
    a.name: 0.1 * (a.high - a.low) for a in FFHQ.attributes if isinstance(a, ir.ContinuousAttribute)
}
DRAWS = 32

law = settings(deadline=None, max_examples=20)
on_both = pytest.mark.parametrize(
    "heads", ["drawn", pytest.param("real", marks=pytest.mark.weights)]
)
seeds = st.integers(0, 2**32 - 1)


def node(condition: str, clauses: str = "") -> Node:
    """The energy of a condition on ffhq."""
    (statement,) = check(f"sample from ffhq where {condition} {clauses}").statements
    assert isinstance(statement, ir.SampleStatement)
    assert statement.where is not None
    return lower(statement.where, Settings(SIGMA, statement.options))


def exactly(condition: str) -> Node:
    """The same under `disjunction exact`."""
    return node(condition, "disjunction exact")


def outputs(
    heads: str, seed: int, bound: float = 8.0, dtype: torch.dtype = torch.float64
) -> Outputs:
    """What the heads give, in `dtype`; the drawn ones up to `bound`, often exactly that."""
    if heads == "real":
        return {name: head.to(dtype) for name, head in _real().items()}
    generator = torch.Generator().manual_seed(seed)

    def drawn(*shape: int) -> Tensor:
        values = bound * (2 * torch.rand(*shape, generator=generator, dtype=torch.float64) - 1)
        kind = torch.randint(0, 5, shape, generator=generator)
        for which, value in enumerate((0.0, bound, -bound)):
            values = torch.where(kind == which, value, values)
        return values.to(dtype)

    result: dict[str, Tensor] = {}
    for attribute in FFHQ.attributes:
        if isinstance(attribute, ir.ContinuousAttribute):
            middle = (attribute.low + attribute.high) / 2
            result[attribute.name] = middle + drawn(DRAWS) * (attribute.high - middle) / 8
        else:
            result[attribute.name] = drawn(DRAWS, len(attribute.values))
    return result


@cache
def _real() -> Outputs:
    from lacelang.engine.loading import load
    from lacelang.progress import Silent
    from lacelang.samplers.streams import prior

    model = load(FFHQ, "cpu", Silent())
    z = prior(0, range(DRAWS), model.generator.latent_dim)
    with torch.no_grad():
        given_ = model.features(0.7)(z)
    return {a.name: given_[a.name] for a in FFHQ.attributes}


def joined(word: str) -> Callable[[Sequence[str], Sequence[float]], str]:
    def join(terms: Sequence[str], weights: Sequence[float]) -> str:
        weighed = (
            f"({term})" + ("" if weight == 1 else f" [weight {weight}]")
            for term, weight in zip(terms, weights, strict=True)
        )
        return f" {word} ".join(weighed)

    return join


TEXTS = Algebra(
    joined("and"),
    joined("or"),
    lambda term: f"not ({term})",
    lambda term, temperature: f"({term}) [temp {temperature}]",
    node,
    SIGMA,
)


# What is denied is held a little below 1: see `lacelang.energy.numerics.RESOLUTION`.
FORMULAS = evolve(
    TEXTS,
    disjunction=lambda terms, weights: " or ".join(f"({term})" for term in terms),
    energy=exactly,
    # An event and its denial add up to 1 within 2^-24; several, or a power of them, within more.
    tolerance=1e-5,
)
OF_FORMULAS = {name: law for name, law in LAWS.items() if name not in OF_MIXTURES} | FORMULA_LAWS


@pytest.mark.parametrize(
    "heads", ["drawn", pytest.param("real", marks=[pytest.mark.weights, pytest.mark.slow])]
)
@pytest.mark.parametrize("which", OF_FORMULAS.values(), ids=OF_FORMULAS)
@settings(deadline=None, max_examples=6)
@given(data=st.data())
def test_laws_of_exact_disjunctions(heads: str, which: Law, data: st.DataObject) -> None:
    drawn = seeds.map(lambda seed: outputs(heads, seed, which.bound))
    which(FORMULAS, data.draw(cases(which, predicates(odds=False, max_leaves=4), drawn)))


@on_both
@pytest.mark.parametrize("which", LAWS.values(), ids=LAWS)
@law
@given(data=st.data())
def test_laws(heads: str, which: Law, data: st.DataObject) -> None:
    drawn = seeds.map(lambda seed: outputs(heads, seed, which.bound))
    which(TEXTS, data.draw(cases(which, predicates(), drawn)))


@on_both
@law
@given(predicates(), discrete_comparisons(), st.sampled_from([0.3, 2.0]), seeds)
def test_a_tempered_logit_is_finite_far_out(
    heads: str, p: str, atom: str, t: float, seed: int
) -> None:
    condition = node(f"({p}) and {atom} [temp logit({t})]")
    energy, gradients = slopes(condition, outputs(heads, seed, 1e4, torch.float32))
    assert energy.isfinite().all()
    assert all(gradient.isfinite().all() for gradient in gradients.values())
