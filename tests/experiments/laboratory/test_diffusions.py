"""Diffusions, their losses and samplers against formulas, on data of which the score is known."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from experiments.laboratory.sde import (
    EARLIEST,
    VE,
    VP,
    Diffusion,
    column,
    denoising_loss,
    draw_times,
    guided,
    initial,
    noisy,
    predictor_corrector,
    times,
)
from experiments.laboratory.unet import TimedClassifier, UNet

DIFFUSIONS = {"VP": VP(), "VE": VE()}
#: Mean and deviation of each pixel of data whose score is known.
MEAN, SPREAD = 0.3, 0.2


@pytest.fixture(params=sorted(DIFFUSIONS))
def diffusion(request: pytest.FixtureRequest) -> Diffusion:
    return DIFFUSIONS[request.param]


def exact(diffusion: Diffusion, mean: float = MEAN):
    """ε of pixels N(mean, SPREAD²): s (x − a mean) / (a² SPREAD² + s²)."""

    def noise(x: Tensor, t: Tensor) -> Tensor:
        a, s = column(diffusion.scale(t)), column(diffusion.deviation(t))
        return s * (x - a * mean) / ((a * SPREAD) ** 2 + s**2)

    return noise


@pytest.mark.parametrize("t", [0.01, 0.3, 1.0])
def test_scales_and_deviations_are_those_of_the_paper(t: float) -> None:
    at = torch.tensor(t)
    integral = 0.1 * t + 0.5 * 19.9 * t**2
    assert float(VP().scale(at)) == pytest.approx(math.exp(-integral / 2), rel=1e-4)
    assert float(VP().deviation(at)) == pytest.approx(math.sqrt(1 - math.exp(-integral)), rel=1e-4)
    assert float(VE().scale(at)) == 1
    assert float(VE().deviation(at)) == pytest.approx(0.01 * 3000**t, rel=1e-4)


def test_the_loss_is_the_mean_square_of_the_missed_noise(diffusion: Diffusion) -> None:
    torch.manual_seed(0)
    x, noise, t = torch.randn(3, 1, 4, 4), torch.randn(3, 1, 4, 4), torch.tensor([0.1, 0.5, 0.9])
    total = 0.0
    for n in range(3):
        at = diffusion.scale(t[n]) * x[n] + diffusion.deviation(t[n]) * noise[n]
        total += float(((0.5 * at - noise[n]) ** 2).sum())
    found = denoising_loss(diffusion, lambda x, _: 0.5 * x, x, t, noise)
    assert float(found) == pytest.approx(total / (3 * 16), rel=1e-4)


def test_the_exact_noise_has_the_least_loss(diffusion: Diffusion) -> None:
    torch.manual_seed(0)
    x = MEAN + SPREAD * torch.randn(2000, 1, 2, 2)
    t, noise = draw_times(2000), torch.randn(2000, 1, 2, 2)
    best = denoising_loss(diffusion, exact(diffusion), x, t, noise)
    for other in (exact(diffusion, MEAN + 0.1), lambda x, t: 0.9 * exact(diffusion)(x, t)):
        assert denoising_loss(diffusion, other, x, t, noise) > best


def test_times_cover_everything() -> None:
    torch.manual_seed(0)
    t = draw_times(100)
    assert EARLIEST <= t.min() < EARLIEST + 0.02
    assert 0.97 < t.max() <= 1
    assert torch.histc(t, 10, EARLIEST, 1).tolist() == pytest.approx([10] * 10, abs=2)
    assert times(5)[0] == 1
    assert len(times(5)) == 6


@pytest.mark.parametrize(("corrections", "steps"), [(0, 200), (1, 100)])
def test_samplers_reach_the_distribution_whose_score_they_are_given(
    diffusion: Diffusion, corrections: int, steps: int
) -> None:
    random = torch.Generator().manual_seed(0)
    x = initial(diffusion, (600, 1, 4, 4), random)
    found = predictor_corrector(diffusion, exact(diffusion), x, steps, random, corrections)
    assert float(found.mean()) == pytest.approx(MEAN, abs=0.03)
    assert float(found.std()) == pytest.approx(SPREAD, abs=0.03)


def test_guidance_moves_to_the_posterior(diffusion: Diffusion) -> None:
    """Of pixels N(MEAN, SPREAD²) seen through noise of deviation 0.2, the mean moves half way."""
    seen, error = 0.7, 0.2

    def gradient(x: Tensor, t: Tensor) -> Tensor:
        # p(seen | x(t)) is Gaussian: of the mean of x(0) given x(t), with its variance added.
        a, s = column(diffusion.scale(t)), column(diffusion.deviation(t))
        whole = (a * SPREAD) ** 2 + s**2
        mean = MEAN + a * SPREAD**2 * (x - a * MEAN) / whole
        variance = SPREAD**2 * s**2 / whole + error**2
        return a * SPREAD**2 / whole * (seen - mean) / variance

    random = torch.Generator().manual_seed(0)
    x = initial(diffusion, (600, 1, 4, 4), random)
    network = guided(diffusion, exact(diffusion), gradient)
    found = predictor_corrector(diffusion, network, x, 300, random, corrections=0)
    assert float(found.mean()) == pytest.approx((MEAN + seen) / 2, abs=0.03)
    assert float(found.std()) == pytest.approx(SPREAD / math.sqrt(2), abs=0.03)


@pytest.mark.parametrize("channels", [1, 3])
def test_shapes_of_the_networks(channels: int, diffusion: Diffusion) -> None:
    torch.manual_seed(0)
    x, t = torch.randn(2, channels, 32, 32), torch.tensor([0.2, 1.0])
    noise = noisy(diffusion, x, t, torch.randn_like(x))
    assert UNet(channels, diffusion)(noise, t).shape == x.shape
    assert TimedClassifier(channels, diffusion)(noise, t).shape == (2, 10)
