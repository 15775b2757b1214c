"""The laws of the operators: what holds of every condition, whatever it is made of.

A law is about an algebra: ways to join terms, and what the energy of a term is. Terms are the
energies themselves (`NODES`), or texts of conditions that are compiled. See docs/testing.md.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from attrs import field, frozen
from hypothesis import strategies as st
from torch import Tensor

from lacelang.energy import Outputs, conjunction, disjunction, negation, tempered

Energy = Callable[[Outputs], Tensor]
"""Head outputs → energies (N,)."""


@frozen
class Algebra:
    """Operators on terms of some kind.

    Attributes:
        conjunction, disjunction: of terms and their weights.
        negation: of a term.
        tempered: of a term and a temperature.
        energy: of a term.
        scales: by head, a small change of its output in units of 1e-6; by default 1.
        tolerance: how far apart energies are that a law says are the same.
    """

    conjunction: Callable[[Sequence[Any], Sequence[float]], Any]
    disjunction: Callable[[Sequence[Any], Sequence[float]], Any]
    negation: Callable[[Any], Any]
    tempered: Callable[[Any, float], Any]
    energy: Callable[[Any], Energy]
    scales: Mapping[str, float] = field(factory=dict, hash=False)
    tolerance: float = 1e-9


NODES = Algebra(conjunction, disjunction, negation, tempered, lambda node: node)
"""The operators of `lacelang.energy`."""


@frozen(eq=False)
class Case:
    """Terms and a weight for each, a temperature, and what the heads say."""

    terms: Sequence[Any]
    weights: Sequence[float]
    temperature: float
    heads: Outputs


@frozen
class Law:
    """A law, to be called with an algebra and a case; it raises an AssertionError.

    Attributes:
        terms: how many it is about.
        bound: the largest outputs of heads for which it holds in floating point.
    """

    check: Callable[[Algebra, Case], None]
    terms: int
    bound: float

    def __call__(self, algebra: Algebra, case: Case) -> None:
        """Check a case."""
        self.check(algebra, case)


#: By name, every law.
LAWS: dict[str, Law] = {}
#: Those of `LAWS` that are about mixtures, whose disjuncts have odds.
OF_MIXTURES = (
    "weights_scale_under_and_and_are_odds_under_or",
    "or_lies_between_its_best_disjunct_and_the_price_of_its_odds",
)
#: By name, the laws of Boolean algebra, which probabilities of formulas obey and mixtures do not.
FORMULA_LAWS: dict[str, Law] = {}
_ONES = (1.0, 1.0, 1.0)


def cases(law: Law, terms: st.SearchStrategy[Any], heads: st.SearchStrategy[Outputs]) -> Any:
    """Cases of a law as a hypothesis strategy; `heads` are drawn up to its bound."""
    weights = st.sampled_from([0.1, 0.5, 2.0, 7.0])
    return st.builds(
        Case,
        st.lists(terms, min_size=law.terms, max_size=law.terms),
        st.lists(weights, min_size=law.terms, max_size=law.terms),
        st.sampled_from([0.25, 0.5, 3.0]),
        heads,
    )


def _law(
    terms: int, bound: float = 8.0, among: dict[str, Law] = LAWS
) -> Callable[[Callable[[Algebra, Case], None]], None]:
    def kept(check: Callable[[Algebra, Case], None]) -> None:
        among[check.__name__] = Law(check, terms, bound)

    return kept


@_law(3)
def and_and_or_commute(algebra: Algebra, case: Case) -> None:
    """The order of terms does not matter, nor under `not`."""
    for join in (algebra.conjunction, algebra.disjunction):
        one = join(case.terms, case.weights)
        other = join(case.terms[::-1], case.weights[::-1])
        _same(algebra, case, one, other)
        _same(algebra, case, algebra.negation(one), algebra.negation(other))


@_law(3)
def and_and_or_associate(algebra: Algebra, case: Case) -> None:
    """Nor do brackets."""
    a, b, c = case.terms
    for join in (algebra.conjunction, algebra.disjunction):
        flat = join([a, b, c], _ONES)
        _same(algebra, case, join([join([a, b], _ONES[:2]), c], _ONES[:2]), flat)
        _same(algebra, case, join([a, join([b, c], _ONES[:2])], _ONES[:2]), flat)


@_law(1)
def not_not_is_the_condition_itself(algebra: Algebra, case: Case) -> None:
    """Two negations undo each other."""
    term, deny = case.terms[0], algebra.negation
    _same(algebra, case, deny(deny(term)), term)
    _same(algebra, case, deny(deny(deny(term))), deny(term))


@_law(2)
def weights_scale_under_and_and_are_odds_under_or(algebra: Algebra, case: Case) -> None:
    """Sums are weighted by w, mixtures by w over their sum; a weight of 0 removes a term."""
    (a, b), (u, v) = case.terms, case.weights
    energy_a, energy_b = (algebra.energy(term)(case.heads) for term in (a, b))
    both = algebra.energy(algebra.conjunction([a, b], [u, v]))(case.heads)
    _close(both, u * energy_a + v * energy_b)
    either = algebra.energy(algebra.disjunction([a, b], [u, v]))(case.heads)
    _close((-either).exp(), u / (u + v) * (-energy_a).exp() + v / (u + v) * (-energy_b).exp())
    for join in (algebra.conjunction, algebra.disjunction):
        _same(algebra, case, join([a, b], [1.0, 0.0]), a)


@_law(1)
def temperature_divides(algebra: Algebra, case: Case) -> None:
    """E / t."""
    term, t = case.terms[0], case.temperature
    energy = algebra.energy(term)(case.heads)
    _close(algebra.energy(algebra.tempered(term, t))(case.heads), energy / t)


@_law(1, 1e4)
def energies_are_not_negative(algebra: Algebra, case: Case) -> None:
    """0 ≤ E, of a condition and of its denial."""
    for term in (case.terms[0], algebra.negation(case.terms[0])):
        assert (algebra.energy(term)(case.heads) >= 0).all()


@_law(3)
def or_lies_between_its_best_disjunct_and_the_price_of_its_odds(
    algebra: Algebra, case: Case
) -> None:
    """min E_k ≤ E ≤ min E_k − log π_min, π the weights over their sum."""
    energy = algebra.energy(algebra.disjunction(case.terms, case.weights))(case.heads)
    disjuncts = [algebra.energy(term)(case.heads) for term in case.terms]
    least = torch.stack(disjuncts).min(dim=0).values
    price = -math.log(min(case.weights) / sum(case.weights))
    assert (energy >= least - 1e-9 * (1 + least)).all()
    assert (energy <= least + price + 1e-9 * (1 + least)).all()


@_law(1, 1e4)
def energies_and_gradients_are_finite(algebra: Algebra, case: Case) -> None:
    """However far out the heads are, in single precision too."""
    for dtype in (torch.float32, torch.float64):
        heads = {name: head.to(dtype) for name, head in case.heads.items()}
        for term in (case.terms[0], algebra.negation(case.terms[0])):
            energy, gradients = slopes(algebra.energy(term), heads)
            assert energy.isfinite().all()
            assert all(gradient.isfinite().all() for gradient in gradients.values())


@_law(1, 6.0)
def gradients_are_finite_differences(algebra: Algebra, case: Case) -> None:
    """Along a random direction, where the energy does not bend within the step."""
    energy_of, step = algebra.energy(case.terms[0]), 1e-6
    random = torch.Generator().manual_seed(0)
    way = {
        name: algebra.scales.get(name, 1.0)
        * torch.randn(head.shape, generator=random, dtype=torch.float64)
        for name, head in case.heads.items()
    }
    energy, gradients = slopes(energy_of, case.heads)
    found = sum((gradients[name] * way[name]).reshape(len(energy), -1).sum(dim=1) for name in way)

    def differences(step: float) -> tuple[Tensor, Tensor]:
        ahead, behind = (
            energy_of({name: head + sign * step * way[name] for name, head in case.heads.items()})
            for sign in (1, -1)
        )
        return (ahead - behind) / (2 * step), (ahead + behind - 2 * energy).abs() / step

    (slope, bend), (finer, _) = differences(step), differences(step / 2)
    # Near the pole of a denied value the energy bends within one step, or is rounded so coarsely
    # that its differences depend on the step.
    straight = (bend < 1e-3 * (1 + slope.abs())) & (
        (slope - finer).abs() < 3e-5 * slope.abs() + 3e-6
    )
    assert isinstance(found, Tensor)
    assert torch.allclose(found[straight], slope[straight], rtol=1e-4, atol=1e-5)


@_law(1, 1e4)
def rows_do_not_touch(algebra: Algebra, case: Case) -> None:
    """A row of NaN leaves the energies and gradients of the others as they are."""
    energy_of = algebra.energy(case.terms[0])
    broken = {name: head.clone() for name, head in case.heads.items()}
    for head in broken.values():
        head[0] = math.nan
    energy, gradients = slopes(energy_of, broken)
    assert torch.equal(energy[1:], energy_of(case.heads)[1:])
    assert all(gradient[1:].isfinite().all() for gradient in gradients.values())


@_law(2, among=FORMULA_LAWS)
def de_morgan(algebra: Algebra, case: Case) -> None:
    """A denied `or` denies both, and a denied `and` either."""
    deny, both, either = algebra.negation, *_joins(algebra)
    a, b = case.terms
    _same(algebra, case, deny(either(a, b)), both(deny(a), deny(b)))
    _same(algebra, case, deny(both(a, b)), either(deny(a), deny(b)))


@_law(1, among=FORMULA_LAWS)
def idempotence(algebra: Algebra, case: Case) -> None:
    """What is said twice counts once."""
    (a,) = case.terms
    for join in _joins(algebra):
        _same(algebra, case, join(a, a), a)


@_law(2, among=FORMULA_LAWS)
def absorption(algebra: Algebra, case: Case) -> None:
    """`a or (a and b)` is a, and so is `a and (a or b)`."""
    both, either = _joins(algebra)
    a, b = case.terms
    _same(algebra, case, either(a, both(a, b)), a)
    _same(algebra, case, both(a, either(a, b)), a)


@_law(3, among=FORMULA_LAWS)
def distribution(algebra: Algebra, case: Case) -> None:
    """Of `and` over `or`, and of `or` over `and`."""
    both, either = _joins(algebra)
    a, b, c = case.terms
    _same(algebra, case, both(a, either(b, c)), either(both(a, b), both(a, c)))
    _same(algebra, case, either(a, both(b, c)), both(either(a, b), either(a, c)))


@_law(2, among=FORMULA_LAWS)
def probabilities_add_up(algebra: Algebra, case: Case) -> None:
    """P(a) + P(not a) = 1, and P(a or b) = P(a) + P(b) - P(a and b)."""
    both, either = _joins(algebra)
    a, b = case.terms

    def p(term: Any) -> Tensor:
        return torch.exp(-algebra.energy(term)(case.heads))

    for term in (a, b, either(a, b)):
        assert torch.allclose(p(term) + p(algebra.negation(term)), torch.ones(()).double())
    assert torch.allclose(p(either(a, b)) + p(both(a, b)), p(a) + p(b), atol=1e-6)


def _joins(algebra: Algebra) -> tuple[Callable[[Any, Any], Any], Callable[[Any, Any], Any]]:
    """`and` and `or` of two terms."""
    return (
        lambda a, b: algebra.conjunction([a, b], _ONES[:2]),
        lambda a, b: algebra.disjunction([a, b], _ONES[:2]),
    )


def slopes(energy_of: Energy, heads: Outputs) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the energies (N,) and their gradients by each head."""
    leaves = {name: head.clone().requires_grad_() for name, head in heads.items()}
    energy = energy_of(leaves)
    found: Sequence[Tensor | None] = [None] * len(leaves)
    if energy.requires_grad:
        found = torch.autograd.grad(energy.sum(), list(leaves.values()), allow_unused=True)
    return energy.detach(), {
        name: torch.zeros_like(leaf) if gradient is None else gradient
        for (name, leaf), gradient in zip(leaves.items(), found, strict=True)
    }


def survives_formatting(source: str) -> None:
    """parse(format(p)) = p, and formatting twice changes nothing more."""
    from lacelang.syntax.format import format_source
    from lacelang.syntax.parser import parse

    formatted = format_source(source)
    assert parse(formatted) == parse(source)
    assert format_source(formatted) == formatted


def _same(algebra: Algebra, case: Case, one: Any, other: Any) -> None:
    _close(algebra.energy(one)(case.heads), algebra.energy(other)(case.heads), algebra.tolerance)


def _close(one: Tensor, other: Tensor, tolerance: float = 1e-9) -> None:
    assert torch.allclose(one, other, rtol=tolerance, atol=tolerance)
