"""Samples and images of other devices than the CPU."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from pretended import DEVICE, Pretended
from real_size import RealSizeModel
from torch import nn

import lacelang
from lacelang.engine import loading, plan
from lacelang.engine.result import Run
from lacelang.generators.declaration import Layout, choose_device
from lacelang.generators.generator import Generator
from lacelang.system.torch_state import isolated

SAMPLERS = (
    "exponential(max_steps=4)",
    "dopri5(atol=0.3, rtol=0.3)",
    "langevin(steps=3)",
    "mala(steps=2, warmup=2)",
    "smc(particles=3, moves=1, ess=0.1)",
    "rejection(max_tries=10)",
)
SOURCE = (
    "sample 2 from ffhq where (glasses=1 or yaw=10) and age = each 20..60 and not smile=1 "
    "with {sampler} as a\n"
)
EDIT = "edit a {{ gender=male age in 30..40 }} with exponential(max_steps=3) as e\n"
GPUS = [device for device in ("cuda", "mps") if getattr(torch, device).is_available()] or ["cuda"]


class MovedModel(RealSizeModel):
    def __init__(self, device: torch.device) -> None:
        super().__init__()
        self.device = device
        for name, value in vars(self.generator).items():
            if isinstance(value, torch.Tensor | nn.Module):
                setattr(self.generator, name, value.to(device))
        self.heads = copy.deepcopy(RealSizeModel.heads).to(device)


def made(sampler: str, model: RealSizeModel, count: int = 2, edit: str = "") -> Run:
    with pytest.MonkeyPatch.context() as patched:
        for module in (plan, loading):
            patched.setattr(module, "load", lambda spec, device, progress: model)
        source = (SOURCE + edit).format(sampler=sampler).replace("sample 2", f"sample {count}")
        return lacelang.compile(source).run()


def assert_alike(found: Run, wanted: Run, tolerance: float) -> None:
    for name in wanted:
        assert found[name].status == wanted[name].status
        assert torch.allclose(found[name].w, wanted[name].w, atol=tolerance)
        assert torch.allclose(found[name].energy, wanted[name].energy, atol=tolerance, rtol=1e-3)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_nothing_is_computed_on_two_devices(sampler: str) -> None:
    with isolated(), Pretended() as device:
        there = made(sampler, MovedModel(DEVICE))
    assert device.calls
    assert_alike(there, made(sampler, RealSizeModel()), 1e-3)


def _lacks(name: str, types: set[torch.dtype]) -> bool:
    return torch.float64 in types or "linalg" in name or "erfc" in name


@pytest.mark.parametrize("sampler", SAMPLERS[:1])
def test_a_device_needs_no_float64(sampler: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "WITHOUT_FLOAT64", {DEVICE.type})
    with isolated(), Pretended(_lacks) as device:
        there = made(sampler, MovedModel(DEVICE))
    assert device.calls
    assert_alike(there, made(sampler, RealSizeModel()), 1e-3)


@pytest.mark.gpu
@pytest.mark.parametrize("device", GPUS)
@pytest.mark.parametrize("sampler", SAMPLERS[:3])
def test_latents_of_a_gpu(device: str, sampler: str) -> None:
    model = MovedModel(choose_device(device))
    here, there = (made(sampler, each, 5, EDIT) for each in (RealSizeModel(), model))
    assert_alike(there, here, 0.02)


@pytest.mark.gpu
@pytest.mark.parametrize("device", GPUS)
def test_a_sample_of_a_gpu_does_not_depend_on_its_batch(device: str) -> None:
    model = MovedModel(choose_device(device))
    whole, part = (made(SAMPLERS[0], model, count, EDIT) for count in (5, 2))
    for name in whole:
        assert torch.equal(whole[name].w[:2], part[name].w)


@pytest.mark.gpu
@pytest.mark.parametrize("device", GPUS)
def test_images_of_a_gpu(device: str) -> None:
    torch.manual_seed(0)
    layers: Iterator[nn.Module] = iter(
        (nn.Flatten(), nn.Linear(48, 8 * 64), nn.Unflatten(1, (8, 8, 8)), nn.Conv2d(8, 3, 3))
    )
    synthesis = nn.Sequential(*layers)
    layout = Layout(16, 16, ((0,), (1,), (2,)))
    w = torch.randn(11, 16)
    decoded = [
        list(Generator(layout, copy.deepcopy(synthesis), device=place).decode(w))
        for place in (torch.device("cpu"), choose_device(device))
    ]
    for here, there in zip(*decoded, strict=True):
        assert np.abs(here.astype(int) - there).max() <= 1
