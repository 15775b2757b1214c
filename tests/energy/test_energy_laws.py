"""The laws that hold for every condition, on generated ones."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lacelang.energy import (
    And,
    Node,
    Not,
    Outputs,
    Surprisal,
    conjunction,
    disjunction,
    negation,
    tempered,
)
from lacelang.testing.conditions import comparisons, conditions, outputs
from lacelang.testing.laws import FORMULA_LAWS, LAWS, NODES, Case, Law, cases

law = settings(deadline=None, max_examples=40)


@pytest.mark.parametrize("which", LAWS.values(), ids=LAWS)
@law
@given(data=st.data())
def test_laws(which: Law, data: st.DataObject) -> None:
    which(NODES, data.draw(cases(which, conditions(), outputs(which.bound))))


@law
@given(conditions(), conditions(), outputs())
def test_what_changes_nothing_leaves_no_trace(a: Node, b: Node, heads: Outputs) -> None:
    assert negation(negation(a)) == a
    assert torch.equal(Not(Not(a))(heads), a(heads))
    assert tempered(a, 1.0) is a
    for join in (conjunction, disjunction):
        assert join([a, b], [1.0, 1.0]) == join([a, b])
        assert join([a, b], [1.0, 0.0]) == join([a])


@law
@given(conditions(6, with_or=False), outputs(bound=6.0))
def test_the_complement_of_a_condition_without_or_is_one_minus_its_probability(
    node: Node, heads: Outputs
) -> None:
    energy = node(heads)
    plain = (energy > 1e-2) & (energy < 30)
    expected = -torch.log(-torch.expm1(-energy[plain]))
    found = negation(node)(heads)[plain]
    assert torch.allclose(found, expected, rtol=1e-5, atol=1e-5)


@law
@given(st.lists(comparisons(), min_size=2, max_size=4), outputs())
def test_a_denied_or_denies_every_arm(arms: list[Node], heads: Outputs) -> None:
    node = negation(disjunction(arms))
    expected = sum(negation(arm)(heads) for arm in arms)
    assert isinstance(expected, torch.Tensor)
    assert torch.allclose(node(heads), expected, rtol=1e-9, atol=1e-9)
    # … however deep it stands: neither arm is bought off by the log 2 that the `or` costs.
    deep = negation(And((disjunction(arms), arms[0]), (1.0, 1.0)))
    held = torch.stack([torch.exp(-arm(heads)) for arm in arms])
    neither = 1 - (1 - (1 - held).prod(dim=0)) * held[0]
    assert torch.allclose(torch.exp(-deep(heads)), neither, rtol=1e-6, atol=1e-6)


def test_a_denied_or_is_high_where_one_arm_holds() -> None:
    """With 1 - e^-E of the mixture it would be log 2, and nothing would be denied."""
    heads = {"smile": torch.tensor([[0.0, 30.0]]), "glasses": torch.tensor([[30.0, 0.0]])}
    either = disjunction([Surprisal("smile", {1}), Surprisal("glasses", {1})])
    assert either(heads).item() == pytest.approx(math.log(2))
    assert negation(either)(heads).item() == pytest.approx(30.0)


@pytest.mark.parametrize("which", FORMULA_LAWS.values(), ids=FORMULA_LAWS)
def test_mixtures_break_the_laws_of_formulas(which: Law) -> None:
    heads = {name: torch.tensor([[0.0, 1.0]]).double() for name in ("smile", "glasses", "hair")}
    terms = [Surprisal(name, {1}) for name in heads]
    with pytest.raises(AssertionError):
        which(NODES, Case(terms[: which.terms], [1.0, 1.0, 1.0], 1.0, heads))
