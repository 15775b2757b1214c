"""The laws of conditions, from their text to their energies, on generated ones.

Each law is put to heads whose outputs are drawn at random, extreme ones among them, and to the real
classifiers on draws from the prior.
"""

from __future__ import annotations

import math
from functools import cache

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from lace_programs import discrete_atoms, predicates
from torch import Tensor

from lacelang import ir
from lacelang.compiler import Settings, lower
from lacelang.energy import Node, Outputs
from lacelang.semantics import defaults
from lacelang.semantics.check import check
from lacelang.semantics.modules import library_models

FFHQ = library_models()["ffhq"]
SIGMA = {
    a.name: 0.1 * (a.high - a.low) for a in FFHQ.attributes if isinstance(a, ir.ContinuousAttribute)
}
DRAWS = 32

law = settings(deadline=None, max_examples=30)
on_both = pytest.mark.parametrize(
    "heads", ["drawn", pytest.param("real", marks=pytest.mark.weights)]
)
seeds = st.integers(0, 2**32 - 1)
# None is 1: an `or` of weight 1 inside another one is merged with it, and has no energy of its own.
weights = st.sampled_from([0.1, 0.5, 2.0, 7.0])


def node(condition: str) -> Node:
    """The energy of a condition on ffhq."""
    (statement,) = check(f"sample from ffhq where {condition}").statements
    assert isinstance(statement, ir.SampleStatement)
    assert statement.where is not None
    return lower(statement.where, Settings(SIGMA, defaults.CONDITION_OPTIONS))


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


def close(a: Tensor, b: Tensor) -> bool:
    return torch.allclose(a, b, rtol=1e-9, atol=1e-9)


@on_both
@law
@given(st.lists(predicates(), min_size=2, max_size=4), seeds, st.randoms())
def test_and_and_or_commute(heads: str, terms: list[str], seed: int, random: object) -> None:
    given_ = outputs(heads, seed)
    shuffled = terms[:]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    for word in (" and ", " or "):
        one, other = (word.join(f"({t})" for t in order) for order in (terms, shuffled))
        assert close(node(one)(given_), node(other)(given_))
        assert close(node(f"not ({one})")(given_), node(f"not ({other})")(given_))


@on_both
@law
@given(predicates(), predicates(), predicates(), seeds)
def test_and_and_or_associate(heads: str, a: str, b: str, c: str, seed: int) -> None:
    given_ = outputs(heads, seed)
    for word in ("and", "or"):
        flat = node(f"({a}) {word} ({b}) {word} ({c})")
        left = node(f"(({a}) {word} ({b})) {word} ({c})")
        right = node(f"({a}) {word} (({b}) {word} ({c}))")
        assert close(left(given_), flat(given_))
        assert close(right(given_), flat(given_))


@on_both
@law
@given(predicates(), seeds)
def test_not_not_is_the_condition_itself(heads: str, p: str, seed: int) -> None:
    given_ = outputs(heads, seed)
    assert close(node(f"not not ({p})")(given_), node(p)(given_))
    assert close(node(f"not (not (not ({p})))")(given_), node(f"not ({p})")(given_))


@on_both
@law
@given(predicates(), predicates(), weights, weights, seeds)
def test_weights(heads: str, a: str, b: str, u: float, v: float, seed: int) -> None:
    given_ = outputs(heads, seed)
    energy_a, energy_b = node(a)(given_), node(b)(given_)
    both = node(f"({a}) [weight {u}] and ({b}) [weight {v}]")(given_)
    assert close(both, u * energy_a + v * energy_b)
    either = node(f"({a}) [weight {u}] or ({b}) [weight {v}]")(given_)
    odds = u / (u + v) * torch.exp(-energy_a) + v / (u + v) * torch.exp(-energy_b)
    assert close(torch.exp(-either), odds)
    assert close(node(f"({a}) [weight 1]")(given_), energy_a)
    for word in ("and", "or"):
        assert close(node(f"({a}) {word} ({b}) [weight 0]")(given_), energy_a)


@on_both
@law
@given(predicates(), st.sampled_from([0.25, 0.5, 3.0]), seeds)
def test_temperature_divides(heads: str, p: str, t: float, seed: int) -> None:
    given_ = outputs(heads, seed)
    assert close(node(f"({p}) [temp {t}]")(given_), node(p)(given_) / t)


@on_both
@law
@given(predicates(), seeds, st.sampled_from([8.0, 1e4]))
def test_energies_are_not_negative(heads: str, p: str, seed: int, bound: float) -> None:
    given_ = outputs(heads, seed, bound)
    assert (node(p)(given_) >= 0).all()
    assert (node(f"not ({p})")(given_) >= 0).all()


@on_both
@law
@given(st.lists(st.tuples(predicates(), weights), min_size=2, max_size=4), seeds)
def test_or_lies_between_its_best_arm_and_the_price_of_its_odds(
    heads: str, arms: list[tuple[str, float]], seed: int
) -> None:
    given_ = outputs(heads, seed)
    energy = node(" or ".join(f"({p}) [weight {w}]" for p, w in arms))(given_)
    least = torch.stack([node(p)(given_) for p, _ in arms]).min(dim=0).values
    price = -math.log(min(w for _, w in arms) / math.fsum(w for _, w in arms))
    assert (energy >= least - 1e-9 * (1 + least)).all()
    assert (energy <= least + price + 1e-9 * (1 + least)).all()


@on_both
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@law
@given(predicates(), discrete_atoms(), st.sampled_from([0.3, 2.0]), seeds)
def test_energies_and_gradients_are_finite_far_out(
    heads: str, dtype: torch.dtype, p: str, atom: str, t: float, seed: int
) -> None:
    given_ = outputs(heads, seed, 1e4, dtype)
    for condition in (p, f"not ({p})", f"({p}) and {atom} [temp logit({t})]"):
        energy, gradient = _slope(node(condition), given_)
        assert energy.isfinite().all()
        for slope in gradient.values():
            assert slope.isfinite().all()


@on_both
@law
@given(predicates(), seeds)
def test_gradients_are_finite_differences(heads: str, p: str, seed: int) -> None:
    condition = node(p)
    given_ = outputs(heads, seed, 6.0)
    generator = torch.Generator().manual_seed(seed)
    way = {
        name: torch.randn(head.shape, generator=generator, dtype=torch.float64) * _scale(name)
        for name, head in given_.items()
    }
    step = 1e-6
    energy, gradient = _slope(condition, given_)
    found = sum((gradient[name] * way[name]).reshape(DRAWS, -1).sum(dim=1) for name in way)
    ahead, behind = (
        condition({name: head + sign * step * way[name] for name, head in given_.items()})
        for sign in (1, -1)
    )
    slope = (ahead - behind) / (2 * step)
    # Near the pole of a denied value the energy bends within one step.
    straight = (ahead + behind - 2 * energy).abs() / step < 1e-3 * (1 + slope.abs())
    assert isinstance(found, Tensor)
    assert torch.allclose(found[straight], slope[straight], rtol=1e-4, atol=1e-5)


def _scale(name: str) -> float:
    return SIGMA.get(name, 1.0)


def _slope(condition: Node, given_: Outputs) -> tuple[Tensor, dict[str, Tensor]]:
    leaves = {name: head.clone().requires_grad_() for name, head in given_.items()}
    energy = condition(leaves)
    if not energy.requires_grad:
        return energy, {name: torch.zeros_like(head) for name, head in leaves.items()}
    found = torch.autograd.grad(energy.sum(), list(leaves.values()), allow_unused=True)
    return energy.detach(), {
        name: torch.zeros_like(leaf) if slope is None else slope
        for (name, leaf), slope in zip(leaves.items(), found, strict=True)
    }
