"""The conditional energy as a pure function: in somebody's loop, and under torch.func."""

from __future__ import annotations

import copy
import pickle
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from numpy.typing import NDArray
from torch import Tensor

from lacelang.energy import ConditionalEnergy, Node, NormalAt, Outputs, Surprisal, conjunction
from lacelang.errors import UsageError
from lacelang.testing.conditions import BINARY, CHOICE, CLASSES, CONTINUOUS, conditions

DIM = 6


def features(z: Tensor) -> Outputs:
    """Heads that bend smoothly with every coordinate."""
    x = torch.tanh(z) + 0.3 * torch.sin(z.roll(1, dims=1))
    heads = {name: torch.stack([-x[:, i], 2 * x[:, i + 1]], dim=1) for i, name in enumerate(BINARY)}
    heads[CHOICE] = x[:, 1 : 1 + CLASSES] * (1 + x[:, :1])
    heads |= {name: 3 * x[:, 4 + i] + x[:, 0] for i, name in enumerate(CONTINUOUS)}
    return heads


def latents() -> Tensor:
    return torch.randn(4, DIM, dtype=torch.double, generator=torch.Generator().manual_seed(5))


@settings(max_examples=25, deadline=None)
@given(conditions())
def test_transforms_of_torch_func_agree_with_autograd(node: Node) -> None:
    energy = ConditionalEnergy(features, node)
    z = latents()
    value, gradient = energy.value_and_grad(z)

    def one(z: Tensor) -> Tensor:
        return energy(z[None])[0]

    torch.testing.assert_close(torch.func.vmap(one)(z), value)
    torch.testing.assert_close(torch.func.vmap(torch.func.grad(one))(z), gradient)
    jacobian = torch.func.jacrev(energy)(z)
    # Row i of the energies depends on latent i alone.
    torch.testing.assert_close(jacobian, torch.diag_embed(gradient.T).permute(1, 2, 0))


@settings(max_examples=15, deadline=None)
@given(conditions())
def test_second_derivatives(node: Node) -> None:
    energy = ConditionalEnergy(features, node)
    z = latents()[:2]

    def one(z: Tensor) -> Tensor:
        return energy(z[None])[0]

    hessians = torch.func.vmap(torch.func.hessian(one))(z)
    assert hessians.isfinite().all()
    torch.testing.assert_close(hessians, hessians.transpose(1, 2), rtol=1e-6, atol=1e-8)
    for row, hessian in zip(z, hessians, strict=True):
        twice = torch.autograd.functional.hessian(one, row)
        torch.testing.assert_close(twice, hessian, rtol=1e-6, atol=1e-8)


def test_the_prior_is_apart() -> None:
    energy = ConditionalEnergy(features, Surprisal("smile", {1}))
    z = latents()
    torch.testing.assert_close(energy.prior(z), 0.5 * (z * z).sum(dim=1))


@pytest.mark.parametrize("shape", [(DIM,), (2, 3, DIM), (2, DIM + 1), ()])
def test_latents_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    energy = ConditionalEnergy(features, Surprisal("smile", {1}), DIM)
    with pytest.raises(UsageError, match=rf"\(N, {DIM}\)"):
        energy(torch.zeros(shape))


NUMBERS = np.linspace(-2.0, 2.0, 4 * DIM).reshape(4, DIM)
GIVEN: dict[str, tuple[Tensor | NDArray[Any], torch.dtype]] = {
    "float64": (torch.from_numpy(NUMBERS), torch.float64),
    "float32": (torch.from_numpy(NUMBERS).float(), torch.float32),
    "float16": (torch.from_numpy(NUMBERS).half(), torch.float32),
    "bfloat16": (torch.from_numpy(NUMBERS).bfloat16(), torch.float32),
    "array of 8 bytes": (NUMBERS, torch.float64),
    "array of 16 bytes": (NUMBERS.astype(np.longdouble), torch.float64),
    "array of 4 bytes": (NUMBERS.astype(np.float32), torch.float32),
    "array of 2 bytes": (NUMBERS.astype(np.float16), torch.float32),
    "foreign byte order": (NUMBERS.astype(">f8"), torch.float64),
    "reversed": (NUMBERS[::-1, ::-1], torch.float64),
}


@pytest.mark.parametrize("kind", GIVEN)
def test_latents_of_any_floating_point_type(kind: str) -> None:
    """Computed in float64 where they are, else in float32; gradients have the latents' type."""
    given, computed = GIVEN[kind]
    energy = ConditionalEnergy(features, Surprisal("smile", {1}), DIM)
    if isinstance(given, Tensor):
        same, back = given.to(computed), given.dtype
    else:
        same, back = torch.from_numpy(np.array(given, "=f8")).to(computed), computed
    expected = -torch.log_softmax(features(same)["smile"], dim=1)[:, 1]
    for found in (energy(given), energy.value_and_grad(given)[0]):
        assert found.dtype == computed
        torch.testing.assert_close(found, expected)
    gradient = energy.value_and_grad(given)[1]
    assert gradient.dtype == back
    torch.testing.assert_close(gradient, energy.value_and_grad(same)[1].to(back))
    assert energy.prior(given).dtype == computed


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([[0.0] * DIM], "`z` is a tensor (N, 6), not [[0.0,"),
        (torch.zeros(2, DIM, dtype=torch.int64), "numbers (N, 6), not torch.int64"),
        (np.zeros((2, DIM), np.int32), "floating-point numbers (N, 6), not int32"),
        (
            torch.zeros(2, DIM).to_sparse(),
            "dense tensor (N, 6), not one of layout torch.sparse_coo",
        ),
        (torch.zeros(2, DIM, device="meta"), "a dense tensor (N, 6), not one without numbers"),
        (torch.zeros(2, DIM, 1), "has the shape (N, 6), not (2, 6, 1)"),
    ],
)
def test_what_is_no_latents_is_refused_in_words(given: Any, words: str) -> None:
    energy = ConditionalEnergy(features, Surprisal("smile", {1}), DIM)
    for use in (energy, energy.value_and_grad, energy.prior):
        with pytest.raises(UsageError, match=re.escape(words)):
            use(given)
    with pytest.raises(UsageError, match=re.escape(words.replace("6)", "d)"))):
        ConditionalEnergy(features, energy.node)(given)


def test_what_differs_from_row_to_row_reaches_the_features() -> None:
    """Arguments go to the features row by row, and into every way to the energy."""

    def moved(z: Tensor, shift: Tensor, scale: Tensor) -> Outputs:
        return {"age": (z * scale[:, None] + shift).sum(dim=1), "smile": z[:, :2] * shift[:, :2]}

    z = latents()
    args = (2 * latents().flip(0), torch.tensor([1.0, 2.0, 3.0, 4.0], dtype=torch.double))
    node = conjunction([NormalAt("age", 2.0, 1.5), Surprisal("smile", {1})])
    energy = ConditionalEnergy(moved, node)
    leaf = z.clone().requires_grad_()
    heads = moved(leaf, *args)
    expected = 0.5 * ((heads["age"] - 2.0) / 1.5).square()
    expected = expected - torch.log_softmax(heads["smile"], dim=1)[:, 1]
    (slope,) = torch.autograd.grad(expected.sum(), leaf, retain_graph=True)
    value, gradient = energy.value_and_grad(z, *args)
    torch.testing.assert_close(energy(z, *args), expected.detach())
    torch.testing.assert_close(value, expected.detach())
    torch.testing.assert_close(gradient, slope)

    reduced = energy.reduced(z[:1], *(each[:1] for each in args))
    o, pull = reduced.vjp(z, *args)
    both = torch.stack([heads["age"], heads["smile"][:, 1] - heads["smile"][:, 0]], dim=1)
    torch.testing.assert_close(o, both.detach())
    again, jacobian = reduced.linearise(z, *args)
    assert torch.equal(again, o)
    v = torch.tensor([[1.0, 0.5], [-2.0, 0.0], [0.0, 3.0], [1.0, 1.0]])
    (pulled,) = torch.autograd.grad(both, leaf, v.double())
    torch.testing.assert_close(pull(v), pulled)
    torch.testing.assert_close((jacobian * v[:, :, None]).sum(dim=1), pulled)
    torch.testing.assert_close(reduced.slope(o)[0], expected.detach())


@pytest.mark.parametrize("use", [ConditionalEnergy.__call__, ConditionalEnergy.value_and_grad])
def test_rows_are_computed_in_one_thread(
    use: Callable[[ConditionalEnergy, Tensor], object],
) -> None:
    """Operations this small wait longer for a second thread than they take."""
    counts: list[int] = []

    def counting(z: Tensor) -> Outputs:
        counts.append(torch.get_num_threads())
        return {"hair": z}

    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        use(ConditionalEnergy(counting, Surprisal("hair", {0, 1})), latents())
        assert (set(counts), torch.get_num_threads()) == ({1}, 3)
    finally:
        torch.set_num_threads(before)


class OfAModel:
    """Features without a qualified name of their own, as those of a model are."""

    def __call__(self, z: Tensor) -> Outputs:
        return features(z)


def test_an_energy_is_pickled_by_what_it_is_made_of() -> None:
    node = Surprisal("smile", {1})
    for made in (features, OfAModel()):
        energy = ConditionalEnergy(made, node, DIM)
        again = pickle.loads(pickle.dumps(energy))
        assert (again.node, again.dim) == (node, DIM)
        assert torch.equal(again(latents()), energy(latents()))
        assert copy.deepcopy(energy) is energy
    for inner in (lambda z: features(z), _local()):
        with pytest.raises(TypeError) as refused:
            pickle.dumps(ConditionalEnergy(inner, node))
        assert str(refused.value) == (
            "the features of this energy are a function made inside another one, which is not "
            "pickled: define it at the top of a module"
        )


def _local() -> Callable[[Tensor], Outputs]:
    def inside(z: Tensor) -> Outputs:
        return features(z)

    return inside


def test_latents_that_nothing_reads_have_a_gradient_all_the_same() -> None:
    energy = ConditionalEnergy(features, conjunction([Surprisal("smile", {1})], [0.0]))
    z = latents().requires_grad_()
    (gradient,) = torch.autograd.grad(energy(z).sum(), z)
    assert torch.equal(gradient, torch.zeros_like(z))
    with torch.no_grad():
        assert not energy(z).requires_grad
    assert not energy(z.detach()).requires_grad
