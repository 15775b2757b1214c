"""The laws that hold for every condition, on generated ones."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from condition_trees import (
    atoms,
    gradients,
    outputs,
    temperatures,
    trees,
    trees_without_or,
    weights,
)
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lacelang.energy import (
    And,
    Discrete,
    Node,
    Not,
    Or,
    Outputs,
    Tempered,
    conjunction,
    disjunction,
    negation,
    tempered,
)

law = settings(deadline=None, max_examples=50)


def close(a: torch.Tensor, b: torch.Tensor, tolerance: float = 1e-9) -> bool:
    return torch.allclose(a, b, rtol=tolerance, atol=tolerance)


@law
@given(st.lists(trees, min_size=2, max_size=4), outputs(), st.randoms())
def test_and_and_or_commute(terms: list[Node], heads: Outputs, random: object) -> None:
    shuffled = terms[:]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    for join in (conjunction, disjunction):
        assert close(join(terms)(heads), join(shuffled)(heads))
        assert close(negation(join(terms))(heads), negation(join(shuffled))(heads))


@law
@given(trees, trees, trees, outputs())
def test_and_and_or_associate(a: Node, b: Node, c: Node, heads: Outputs) -> None:
    for join in (conjunction, disjunction):
        left = join([join([a, b]), c])
        right = join([a, join([b, c])])
        assert close(left(heads), right(heads))
        assert close(left(heads), join([a, b, c])(heads))


@law
@given(trees, outputs())
def test_not_not_is_the_condition_itself(node: Node, heads: Outputs) -> None:
    assert negation(negation(node)) == node
    assert torch.equal(Not(Not(node))(heads), node(heads))


@law
@given(trees, trees, outputs())
def test_weight_one_changes_nothing_and_weight_zero_removes(
    a: Node, b: Node, heads: Outputs
) -> None:
    for join in (conjunction, disjunction):
        assert join([a, b], [1.0, 1.0]) == join([a, b])
        assert join([a, b], [1.0, 0.0]) == join([a])
        assert close(join([a, b], [0.0, 1.0])(heads), b(heads))


@law
@given(trees, trees, weights, weights, outputs())
def test_weights_scale_under_and_and_are_odds_under_or(
    a: Node, b: Node, u: float, v: float, heads: Outputs
) -> None:
    assert close(conjunction([a, b], [u, v])(heads), u * a(heads) + v * b(heads))
    mixed = u / (u + v) * torch.exp(-a(heads)) + v / (u + v) * torch.exp(-b(heads))
    assert close(torch.exp(-Or((a, b), (u, v))(heads)), mixed)
    assert close(Or((a, b), (3 * u, 3 * v))(heads), Or((a, b), (u, v))(heads))


@law
@given(trees, temperatures, outputs())
def test_temperature_divides(node: Node, temperature: float, heads: Outputs) -> None:
    assert close(Tempered(node, temperature)(heads), node(heads) / temperature)
    assert tempered(node, 1.0) is node


@law
@given(trees, outputs(bound=1e4))
def test_energies_are_not_negative(node: Node, heads: Outputs) -> None:
    assert (node(heads) >= 0).all()
    assert (negation(node)(heads) >= 0).all()


@law
@given(st.lists(st.tuples(trees, weights), min_size=2, max_size=4), outputs())
def test_or_lies_between_its_best_arm_and_the_price_of_its_odds(
    arms: list[tuple[Node, float]], heads: Outputs
) -> None:
    terms, odds = zip(*arms, strict=True)
    node = Or(terms, odds)
    least = torch.stack([term(heads) for term in terms]).min(dim=0).values
    price = -math.log(min(odds) / sum(odds))
    assert (node(heads) >= least - 1e-9 * (1 + least)).all()
    assert (node(heads) <= least + price + 1e-9 * (1 + least)).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@law
@given(data=st.data())
def test_energies_and_gradients_are_finite_far_out(data: st.DataObject, dtype: torch.dtype) -> None:
    node = data.draw(trees)
    heads = data.draw(outputs(bound=1e4, dtype=dtype))
    for condition in (node, negation(node)):
        assert condition(heads).isfinite().all()
        for gradient in gradients(condition, heads).values():
            assert gradient.isfinite().all()


@law
@given(trees, outputs(bound=6.0, rows=1))
def test_gradients_are_finite_differences(node: Node, heads: Outputs) -> None:
    step = 1e-5
    for name, gradient in gradients(node, heads).items():
        for place in itertools.product(*(range(size) for size in heads[name].shape)):
            values = []
            for sign in (1, -1):
                moved = {key: head.clone() for key, head in heads.items()}
                moved[name][place] += sign * step
                values.append(node(moved)[0].item())
            slope = (values[0] - values[1]) / (2 * step)
            curved = abs(values[0] + values[1] - 2 * node(heads)[0].item()) / step
            # Near the pole of a denied value the energy bends within one step.
            assume(curved < 1e-3 * (1 + abs(slope)))
            assert gradient[place].item() == pytest.approx(slope, rel=1e-4, abs=1e-5)


@law
@given(trees_without_or, outputs(bound=6.0))
def test_the_complement_of_a_condition_without_or_is_one_minus_its_probability(
    node: Node, heads: Outputs
) -> None:
    energy = node(heads)
    plain = (energy > 1e-2) & (energy < 30)
    expected = -torch.log(-torch.expm1(-energy[plain]))
    found = negation(node)(heads)[plain]
    assert torch.allclose(found, expected, rtol=1e-5, atol=1e-5)


@law
@given(st.lists(atoms(), min_size=2, max_size=4), outputs())
def test_a_denied_or_denies_every_arm(arms: list[Node], heads: Outputs) -> None:
    node = negation(disjunction(arms))
    expected = sum(negation(arm)(heads) for arm in arms)
    assert isinstance(expected, torch.Tensor)
    assert close(node(heads), expected)
    # … however deep it stands: neither arm is bought off by the log 2 that the `or` costs.
    deep = negation(And((disjunction(arms), arms[0]), (1.0, 1.0)))
    held = torch.stack([torch.exp(-arm(heads)) for arm in arms])
    neither = 1 - (1 - (1 - held).prod(dim=0)) * held[0]
    assert torch.allclose(torch.exp(-deep(heads)), neither, rtol=1e-6, atol=1e-6)


def test_a_denied_or_is_high_where_one_arm_holds() -> None:
    """With 1 - e^-E of the mixture it would be log 2, and nothing would be denied."""
    heads = {"smile": torch.tensor([[0.0, 30.0]]), "glasses": torch.tensor([[30.0, 0.0]])}
    either = disjunction([Discrete("smile", {1}), Discrete("glasses", {1})])
    assert either(heads).item() == pytest.approx(math.log(2))
    assert negation(either)(heads).item() == pytest.approx(30.0)


@law
@given(trees, outputs(bound=1e4, dtype=torch.float32))
def test_rows_do_not_touch(node: Node, heads: Outputs) -> None:
    whole = node(heads)
    broken = {name: head.clone() for name, head in heads.items()}
    for head in broken.values():
        head[1] = math.nan
    rest = node(broken)
    assert torch.equal(rest[[0, 2]], whole[[0, 2]])
    leaves = {name: head.requires_grad_() for name, head in broken.items()}
    energy = node(leaves)
    if energy.requires_grad:
        for gradient in torch.autograd.grad(energy.sum(), list(leaves.values()), allow_unused=True):
            assert gradient is None or gradient[[0, 2]].isfinite().all()
