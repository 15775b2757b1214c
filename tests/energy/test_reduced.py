"""A condition's coordinates: the same energy, its Jacobian and its Hessian."""

from __future__ import annotations

import pytest
import torch
from hypothesis import example, given, settings
from torch import Tensor

from lacelang.energy import (
    ConditionalEnergy,
    Node,
    NormalAt,
    NormalInside,
    Outputs,
    Penalty,
    Surprisal,
    conjunction,
    disjunction,
    negation,
)
from lacelang.errors import UsageError
from lacelang.testing.conditions import BINARY, CHOICE, CLASSES, CONTINUOUS, conditions, outputs

DIM = 6
WIDTHS = {**dict.fromkeys(BINARY, 2), CHOICE: CLASSES, **dict.fromkeys(CONTINUOUS, 0)}


def heads(z: Tensor) -> Outputs:
    random = torch.Generator().manual_seed(0)
    found = {}
    for name, width in WIDTHS.items():
        weight = torch.randn(DIM, max(width, 1), dtype=torch.float64, generator=random)
        value = torch.tanh(z @ weight) * 3
        found[name] = value if width else value[:, 0]
    return found


Z = torch.randn(3, DIM, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


@settings(deadline=None, max_examples=60)
@given(conditions())
def test_energy_gradient_and_chain_rule_agree_with_the_whole(node: Node) -> None:
    energy = ConditionalEnergy(heads, node)
    reduced = energy.reduced(Z[:1])
    o, jacobian = reduced.linearise(Z)
    assert o.shape == (3, len(reduced.blocks))
    value, slope = reduced.slope(o)
    expected, gradient = energy.value_and_grad(Z)
    assert torch.allclose(value, expected, rtol=1e-8, atol=1e-8)
    assert torch.allclose((jacobian * slope[:, :, None]).sum(1), gradient, rtol=1e-6, atol=1e-6)


@settings(deadline=None, max_examples=60)
@given(conditions())
@example(negation(NormalInside("age", 0.0, 50.0, 0.5)))
def test_the_hessian_is_the_slope_s_derivative(node: Node) -> None:
    reduced = ConditionalEnergy(heads, node).reduced(Z[:1])
    o, _ = reduced.linearise(Z)
    gradient, curvature = reduced.expand(o)
    assert torch.allclose(gradient, reduced.slope(o)[1], rtol=1e-9, atol=1e-9)
    step = 1e-6
    for place in range(len(reduced.blocks)):
        shift = torch.zeros_like(o)
        shift[:, place] = step
        difference = (reduced.slope(o + shift)[1] - reduced.slope(o - shift)[1]) / (2 * step)
        bent = curvature[:, place].abs().max() + 1
        assert torch.allclose(curvature[:, place], difference, rtol=1e-3, atol=1e-4 * float(bent))


@settings(deadline=None, max_examples=60)
@given(conditions(), outputs(bound=1e4, dtype=torch.float32))
def test_the_hessian_is_finite_far_out(node: Node, far: Outputs) -> None:
    reduced = ConditionalEnergy(lambda z: far, node).reduced(torch.zeros(3, 1))
    columns = [
        far[name][:, 1:] - far[name][:, :1] if width else far[name][:, None]
        for name, width in reduced.widths.items()
    ]
    o = torch.cat(columns, dim=1) if columns else torch.zeros(3, 0)
    for dtype in (torch.float32, torch.float64):
        assert reduced.expand(o.to(dtype))[1].isfinite().all()
        assert reduced.slope(o.to(dtype))[1].isfinite().all()


def test_only_what_the_condition_reads_becomes_a_coordinate() -> None:
    node = conjunction(
        [Surprisal("smile", {1}), NormalAt("age", 1.0, 1.0), Surprisal(CHOICE, {0, 2})]
    )
    reduced = ConditionalEnergy(heads, node).reduced(Z[:1])
    assert reduced.widths == {"age": 0, CHOICE: CLASSES - 1, "smile": 1}
    assert len(reduced.blocks) == 1 + CLASSES


def test_a_missing_head_is_named() -> None:
    with pytest.raises(UsageError, match="beard"):
        ConditionalEnergy(heads, Surprisal("beard", {1})).reduced(Z[:1])


def read_together(*terms: Node) -> Tensor:
    return ConditionalEnergy(heads, conjunction(terms)).reduced(Z[:1]).blocks


def test_terms_of_the_outermost_and_part_the_coordinates() -> None:
    """age, hair (3), smile and yaw: those that a term reads together are one block, however far."""
    age, smile, yaw = NormalAt("age", 1.0, 1.0), Surprisal("smile", {1}), NormalAt("yaw", 0.0, 1.0)
    hair = Surprisal(CHOICE, {0})
    names = ["age", *[CHOICE] * 3, "smile", "yaw"]

    def blocks(*sets: set[str]) -> Tensor:
        of = {name: i for i, names in enumerate(sets) for name in names}
        return torch.tensor([[float(of[a] == of[b]) for b in names] for a in names]).double()

    assert torch.equal(
        read_together(age, hair, smile, yaw), blocks({"age"}, {CHOICE}, {"smile"}, {"yaw"})
    )
    both = disjunction([age, smile])
    assert torch.equal(read_together(both, hair, yaw), blocks({"age", "smile"}, {CHOICE}, {"yaw"}))
    chain = (both, disjunction([hair, yaw]), disjunction([smile, yaw]))
    assert torch.equal(read_together(*chain), torch.ones(6, 6).double())
    for order in ((0, 1), (1, 0)):
        pairs = [disjunction([age, hair]), negation(conjunction([smile, yaw]))]
        found = read_together(*(pairs[k] for k in order), age)
        assert torch.equal(found, blocks({"age", CHOICE}, {"smile", "yaw"}))


def test_blocks_share_passes_and_the_places_in_them_are_seeds() -> None:
    node = conjunction(
        [disjunction([NormalAt("age", 1.0, 1.0), Surprisal("smile", {1})]), Surprisal(CHOICE, {0})]
    )
    reduced = ConditionalEnergy(heads, node).reduced(Z[:1])
    assert list(reduced.widths) == ["age", CHOICE, "smile"]
    assert reduced.places.tolist() == [0, 0, 1, 2, 1]
    assert reduced.seeds.tolist() == [[1, 1, 0, 0, 0], [0, 0, 1, 0, 1], [0, 0, 0, 1, 0]]


def test_a_condition_that_reads_nothing_takes_the_first_head() -> None:
    nothing = conjunction([Surprisal("smile", {1})], [0.0])
    reduced = ConditionalEnergy(heads, nothing).reduced(Z[:1])
    assert reduced.widths == {"age": 0}
    o, jacobian = reduced.linearise(Z)
    assert (o.shape, jacobian.shape) == ((3, 1), (3, 1, DIM))
    for found in (reduced.slope(o)[1], *reduced.expand(o)):
        assert not found.any()
    assert reduced.expand(o)[1].shape == (3, 1, 1)
    assert not reduced.slope(o)[0].any()


def test_a_slope_that_is_the_same_everywhere_does_not_bend() -> None:
    penalty = Penalty("age", 2.0)
    reduced = ConditionalEnergy(heads, penalty).reduced(Z[:1])
    o, _ = reduced.linearise(Z)
    gradient, curvature = reduced.expand(o)
    assert torch.equal(gradient, torch.full((3, 1), 2.0, dtype=torch.float64))
    assert torch.equal(curvature, torch.zeros(3, 1, 1, dtype=torch.float64))
    assert not gradient.requires_grad
