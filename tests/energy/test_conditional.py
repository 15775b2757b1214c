"""The conditional energy as a pure function: in somebody's loop, and under torch.func."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from torch import Tensor

from lacelang.energy import ConditionalEnergy, Node, Outputs, Surprisal
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
