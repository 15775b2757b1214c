"""The style-based generator, its training and its augmentation, against their formulas."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from experiments.laboratory import loop, train_style_gan
from experiments.laboratory.augment import MOST, SPEED, TARGET, Augmentation
from experiments.laboratory.data import Pictures
from experiments.laboratory.loop import resumable
from experiments.laboratory.measures import measures
from experiments.laboratory.style_gan import (
    LATENT,
    Convolution,
    Discriminator,
    Linear,
    Modulated,
    StyleGenerator,
    deviation,
)
from experiments.laboratory.train_style_gan import Training, gradient_penalty, trained
from lacelang.progress import Silent


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def test_scaled_inputs_and_outputs_are_demodulated_weights() -> None:
    layer = Modulated(5, 7)
    x, w = torch.randn(3, 5, 6, 6), torch.randn(3, LATENT)
    weights = layer.convolution.weight[None] * layer.convolution.scale
    weights = weights * layer.styles(w)[:, None, :, None, None]
    weights = weights / weights.square().sum((2, 3, 4), keepdim=True).sqrt()
    grouped = F.conv2d(x.reshape(1, 15, 6, 6), weights.reshape(21, 5, 3, 3), padding=1, groups=3)
    wanted = 2**0.5 * grouped.reshape(3, 7, 6, 6)
    torch.testing.assert_close(layer(x, w), wanted, atol=1e-4, rtol=1e-4)


def test_the_scale_of_a_style_does_not_count_after_demodulation() -> None:
    layer = Modulated(5, 7)
    x, w = torch.randn(2, 5, 6, 6), torch.randn(2, LATENT)
    once = layer(x, w)
    with torch.no_grad():
        layer.convolution.weight.mul_(3.0)
    torch.testing.assert_close(layer(x, w), once, atol=1e-4, rtol=1e-4)


def test_layers_keep_the_variance_when_training_begins() -> None:
    x = torch.randn(4000, 96)
    assert float(Linear(96, 64)(x).std()) == pytest.approx(1, rel=0.1)
    assert float(Linear(96, 64, rate=0.01)(x).std()) == pytest.approx(1, rel=0.1)
    images = torch.randn(20, 32, 16, 16)
    assert float(Convolution(32, 64, 3, gain=1.0)(images).std()) == pytest.approx(1, rel=0.15)


def test_the_length_of_a_latent_does_not_count() -> None:
    generator, z = StyleGenerator(1).eval(), torch.randn(3, LATENT)
    torch.testing.assert_close(generator.styles(3 * z), generator.styles(z), atol=1e-4, rtol=1e-4)


def test_images_are_repeatable_after_training_and_noisy_within() -> None:
    generator, z = StyleGenerator(3), torch.randn(2, LATENT)
    with torch.no_grad():
        generator.synthesis.first.strength.fill_(1.0)
    assert not torch.equal(generator(z), generator(z))
    assert generator.mean.abs().sum() > 0
    generator.eval()
    images = generator(z)
    assert images.shape == (2, 3, 32, 32)
    assert torch.equal(images, generator(z))
    alike = generator(z, truncation=0.0)
    torch.testing.assert_close(alike[0], alike[1])


def test_the_discriminator_sees_whether_a_group_is_alike() -> None:
    same = torch.randn(1, 4, 3, 3).repeat(16, 1, 1, 1)
    assert float(deviation(same).max()) < 1e-3
    x = torch.randn(16, 4, 3, 3)
    groups = x.reshape(8, 2, 4, 3, 3)
    wanted = groups.std(0, unbiased=False).mean((1, 2, 3))
    torch.testing.assert_close(deviation(x)[:2, 0, 0, 0], wanted, atol=1e-4, rtol=1e-4)
    assert deviation(x[:3]).shape == (3, 1, 3, 3)
    assert Discriminator(1)(torch.randn(4, 1, 32, 32)).shape == (4,)


def test_the_penalty_is_the_squared_slope() -> None:
    class Sum(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return (x**2).flatten(1).sum(1)

    x = torch.randn(5, 2, 4, 4)
    wanted = 4 * x.square().sum((1, 2, 3)).mean()
    assert float(gradient_penalty(Sum(), x)) == pytest.approx(float(wanted), rel=1e-5)


def test_the_probability_follows_the_signs() -> None:
    augmentation = Augmentation()
    augmentation.seen(torch.ones(500))
    augmentation.adapt()
    assert float(augmentation.p) == pytest.approx(500 / SPEED)
    # 80 % positive is a mean sign of 0.6; a little less is too little.
    signs = torch.tensor([1.0, 1, 1, 1, -1, -1])
    assert float(signs.mean()) < TARGET
    augmentation.seen(signs)
    augmentation.adapt()
    assert float(augmentation.p) == pytest.approx((500 - 6) / SPEED, rel=1e-4)
    augmentation.seen(torch.ones(2 * SPEED))
    augmentation.adapt()
    assert float(augmentation.p) == pytest.approx(MOST)
    augmentation.seen(-torch.ones(2 * SPEED))
    augmentation.adapt()
    augmentation.adapt()  # of nothing new
    assert float(augmentation.p) == 0.0


def test_transformations_are_differentiable_and_as_frequent_as_said() -> None:
    augmentation = Augmentation()
    x = torch.rand(400, 1, 32, 32, requires_grad=True)
    assert augmentation(x) is x
    augmentation.p.fill_(0.2)
    y = augmentation(x)
    same = (y - x).abs().flatten(1).amax(1) < 1e-3
    # A mirror image is half as likely as the rest.
    assert float(same.float().mean()) == pytest.approx(0.9 * 0.8**6, abs=0.08)
    (slope,) = torch.autograd.grad(y.sum(), x)
    assert torch.isfinite(slope).all()
    assert slope.abs().sum() > 0


def test_a_resumed_training_ends_with_the_same_weights(data: Pictures, tmp_path: Path) -> None:
    def run(path: Path, steps: int) -> list[torch.Tensor]:
        training = Training(data, seed=1, batch=4)
        resumable(path, training.parts, training.step, steps, Silent(), every=2)
        return [each.clone() for each in training.result.state_dict().values()]

    whole = run(tmp_path / "whole", 4)
    run(tmp_path / "stopped", 2)
    torch.manual_seed(99)
    for one, other in zip(whole, run(tmp_path / "stopped", 4), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)


def test_the_command_trains_once(
    data: Pictures,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("LACELANG_CACHE", str(tmp_path))
    monkeypatch.setattr(train_style_gan, "pictures", lambda *_: data)
    monkeypatch.setattr(train_style_gan, "BATCH", 4)
    assert train_style_gan.main(["--steps", "1"]) == 0
    assert capsys.readouterr().out.startswith("generator: ")
    monkeypatch.setattr(train_style_gan, "pictures", None)
    generator, _ = trained("fashion", Silent(), steps=1)
    assert not generator.training


@pytest.mark.slow
@pytest.mark.weights
def test_five_minutes_teach_clothes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Images come far closer to real ones than those of an untrained generator, and differ."""
    monkeypatch.delenv("LACELANG_DATA", raising=False)
    monkeypatch.setattr(loop, "cache_dir", lambda: tmp_path)
    of = measures("fashion").of
    z = torch.randn(500, LATENT)
    distances = []
    for steps in (1, 600):
        generator, _ = trained("fashion", Silent(), steps)
        with torch.inference_mode():
            images = generator(z).clamp(-1, 1)
        distances.append(of(images).fid)
    assert distances[1] < 0.7 * distances[0]
    assert float(images.std(0).mean()) > 0.2
