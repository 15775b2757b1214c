"""Generators and classifiers of any width: a sample's bits depend on that sample alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

import lacelang
from lacelang.energy import ConditionalEnergy
from lacelang.engine import loading, plan, tasks
from lacelang.engine.loading import Model

WIDTHS = [(3, 3, 5), (10, 33, 7)]
SAMPLERS = ["exponential(max_steps=3)", "mala(steps=1, warmup=1)"]
SPEC = lacelang.compile("sample from ffhq").samples[0].model


def layer(into: int, out: int, seed: int) -> nn.Linear:
    made = nn.Linear(into, out)
    random = torch.Generator().manual_seed(seed)
    made.weight.data = torch.randn(out, into, generator=random) / into**0.5
    made.bias.data = 0.1 * torch.randn(out, generator=random)
    return made.requires_grad_(False)


class OddGenerator:
    """Layers of widths that no vector of a processor is filled by."""

    style_count = 3
    style_layers = (tuple(range(6)), tuple(range(6, 12)), tuple(range(12, 18)))
    resolution = 8

    def __init__(self, latent: int, hidden: int, w: int) -> None:
        self.latent_dim = latent
        self.mapping = nn.Sequential(
            layer(latent, hidden, 1), nn.LeakyReLU(0.2), layer(hidden, w, 2)
        )
        self.w_mean = 0.1 * torch.ones(w)
        axes, _ = torch.linalg.qr(torch.randn(w, w, generator=torch.Generator().manual_seed(3)))
        self.deviations = torch.linspace(2.0, 0.5, w)
        self._whitening, self._colouring = axes / self.deviations, (axes * self.deviations).T

    def truncate(self, w: Tensor, psi: float | Tensor) -> Tensor:
        return self.w_mean + psi * (w - self.w_mean)

    def untruncate(self, w: Tensor, psi: float) -> Tensor:
        return self.w_mean + (w - self.w_mean) / psi

    def whiten(self, w: Tensor) -> Tensor:
        return (w - self.w_mean) @ self._whitening

    def colour(self, u: Tensor) -> Tensor:
        return self.w_mean + u @ self._colouring

    def prepare(self) -> None:
        pass

    def decode(self, w: Tensor) -> Iterator[NDArray[np.uint8]]:
        for row in w.numpy():
            yield np.resize(np.clip(128 + 40 * row, 0, 255), (8, 8, 3)).astype(np.uint8)


class OddHeads(nn.Module):
    """One hidden layer, and as many outputs as the attributes have."""

    def __init__(self, w: int, hidden: int) -> None:
        super().__init__()
        self.attributes = SPEC.attributes
        columns = sum(attribute.width for attribute in self.attributes)
        self.layers = nn.Sequential(layer(w, hidden, 4), nn.Softplus(), layer(hidden, columns, 5))
        self.sigma = {a.name: 0.1 * (a.high - a.low) for a in self.attributes if not a.discrete}

    def forward(self, w: Tensor) -> dict[str, Tensor]:
        columns = torch.split(self.layers(w), [a.width for a in self.attributes], dim=1)
        return {
            a.name: 3.0 * y if a.discrete else (a.low + a.high) / 2 + (a.high - a.low) * y[:, 0]
            for a, y in zip(self.attributes, columns, strict=True)
        }


class OddModel(Model):
    heads: Any

    def __init__(self, latent: int, hidden: int, w: int) -> None:
        super().__init__(SPEC, OddGenerator(latent, hidden, w), torch.device("cpu"))  # type: ignore[arg-type]
        self.heads = OddHeads(w, hidden)

    def weights(self, conditioned: bool) -> dict[str, str]:
        return {"generator": "odd", "device": "cpu"}


@pytest.fixture(params=WIDTHS, ids=str)
def model(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> OddModel:
    odd = OddModel(*request.param)
    monkeypatch.setattr(plan, "load", lambda *_: odd)
    monkeypatch.setattr(loading, "load", lambda *_: odd)
    return odd


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_sample_in_any_company(
    sampler: str, model: OddModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = lacelang.compile(
        "sample 3 from ffhq where glasses=1 and (haircolor=red or age > 40) "
        f"with {sampler} as a\n"
        "edit a { yaw = 10 haircolor in {black, gray} } with heun(tolerance=0.1, max_steps=2) as e"
    )
    whole = made.run()
    monkeypatch.setattr(tasks, "BATCH", 1)
    part = made.run()
    for name in whole:
        one, other = part[name], whole[name]
        for mine, theirs in (
            (one.latents, other.latents),
            (one.w, other.w),
            (one.energy, other.energy),
            *((one.readings[text], other.readings[text]) for text in other.readings),
        ):
            assert np.array_equal(mine.numpy(), theirs.numpy(), equal_nan=True), name


def test_an_energy_in_any_company(model: OddModel) -> None:
    energy = lacelang.energy_of("glasses=1 and (haircolor=red or age in 20..30)", "ffhq")
    assert isinstance(energy, ConditionalEnergy)
    z = torch.randn(70, model.generator.latent_dim, generator=torch.Generator().manual_seed(0))
    whole, (values, gradients) = energy(z), energy.value_and_grad(z)
    assert torch.equal(values, whole)
    for rows in (slice(0, 1), slice(1, 4), slice(5, 70), slice(66, 67)):
        part, slopes = energy.value_and_grad(z[rows])
        (own,) = torch.autograd.grad(energy(x := z[rows].clone().requires_grad_()).sum(), x)
        for mine, theirs in ((part, values), (slopes, gradients), (own, gradients)):
            assert torch.equal(mine, theirs[rows])
    each = torch.func.vmap(torch.func.grad(lambda row: energy(row[None])[0]))(z)
    assert torch.allclose(each, gradients, rtol=1e-4, atol=1e-4)


def test_a_model_of_another_type(model: OddModel) -> None:
    """What was found out of a network in float32 is not taken for what it does in float64."""
    z = torch.randn(5, model.generator.latent_dim, generator=torch.Generator().manual_seed(0))
    single = model.features(0.7)(z)
    generator = model.generator
    for name, value in vars(generator).items():
        if isinstance(value, Tensor | nn.Module):
            setattr(generator, name, value.double())
    model.heads.double()
    double = model.features(0.7)(z.double())
    for name, values in double.items():
        assert values.dtype == torch.float64
        assert torch.allclose(values.float(), single[name], rtol=1e-3, atol=1e-3)


def test_a_network_without_gradients(model: OddModel) -> None:
    model.generator.mapping = lambda z: z.detach()[:, :1].expand(
        len(z), len(model.generator.w_mean)
    )
    assert model.features(0.7)(torch.zeros(2, model.generator.latent_dim))
