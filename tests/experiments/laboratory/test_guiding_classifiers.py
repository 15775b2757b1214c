"""Losses of guiding classifiers against formulas and differences, and what they are trained on."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from experiments.laboratory import train_guided
from experiments.laboratory.data import Pictures
from experiments.laboratory.guidance import (
    calibration_loss,
    classifier_loss,
    gradient_of,
    labelled,
    marginal_score,
)
from experiments.laboratory.sde import VP, noisy
from experiments.laboratory.train_guided import ClassifierTraining, Guide, ScoreTraining, main
from lacelang.progress import Silent


class Quadratic(nn.Module):
    """f(x, t)[k] = −‖x − k/2‖² / 2, whose marginal is a mixture of two Gaussians."""

    def __init__(self) -> None:
        super().__init__()
        self.diffusion = VP()
        self.centre = nn.Parameter(torch.tensor([0.0, 0.5]))

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        return -0.5 * (x.flatten(1)[:, None] - self.centre[:, None]).square().sum(2)


X = torch.randn(3, 1, 2, 2, generator=torch.Generator().manual_seed(0))
NOISE = torch.randn(3, 1, 2, 2, generator=torch.Generator().manual_seed(1))
T = torch.tensor([0.1, 0.4, 0.9])
CLASSES = torch.tensor([0, 1, 1])


def logits(pixels: list[float]) -> list[float]:
    return [-0.5 * sum((p - centre) ** 2 for p in pixels) for centre in (0.0, 0.5)]


def score(pixels: list[float]) -> list[float]:
    """The gradient of log Σ exp f: the centres' gradients, by their posterior weights."""
    weights = [math.exp(f) for f in logits(pixels)]
    return [
        sum(w * (c - p) for w, c in zip(weights, (0.0, 0.5), strict=True)) / sum(weights)
        for p in pixels
    ]


def at(n: int) -> list[float]:
    return noisy(VP(), X, T, NOISE)[n].flatten().tolist()


def test_the_classifier_term_is_the_cross_entropy_of_noisy_images() -> None:
    total = 0.0
    for n in range(3):
        f = logits(at(n))
        total += math.log(sum(map(math.exp, f))) - f[int(CLASSES[n])]
    found = classifier_loss(Quadratic(), X, CLASSES, T, NOISE)  # type: ignore[arg-type]
    assert float(found.detach()) == pytest.approx(total / 3, rel=1e-5)


def test_the_calibration_term_is_score_matching_of_the_marginal() -> None:
    total = 0.0
    for n in range(3):
        s = float(VP().deviation(T[n]))
        pairs = zip(score(at(n)), NOISE[n].flatten().tolist(), strict=True)
        total += sum((s * g + e) ** 2 for g, e in pairs)
    found = calibration_loss(Quadratic(), X, T, NOISE)  # type: ignore[arg-type]
    assert float(found.detach()) == pytest.approx(total / 12, rel=1e-5)


def test_the_calibration_term_teaches_the_weights() -> None:
    network = Quadratic()
    calibration_loss(network, X, T, NOISE).backward()  # type: ignore[arg-type]
    assert network.centre.grad is not None
    found, step = network.centre.grad.clone(), 1e-3
    for k in range(2):
        values = []
        for sign in (1, -1):
            moved = Quadratic()
            moved.centre.data[k] += sign * step
            values.append(float(calibration_loss(moved, X, T, NOISE).detach()))  # type: ignore[arg-type]
        assert float(found[k]) == pytest.approx((values[0] - values[1]) / (2 * step), abs=1e-3)


def test_guidance_is_the_gradient_of_the_class_s_probability() -> None:
    network, found = Quadratic(), gradient_of(Quadratic(), CLASSES)(X, T)  # type: ignore[arg-type]
    for n in range(3):
        centre = float(network.centre[int(CLASSES[n])])
        pixels = X[n].flatten().tolist()
        wanted = [centre - p - g for p, g in zip(pixels, score(pixels), strict=True)]
        assert found[n].flatten().tolist() == pytest.approx(wanted, abs=1e-5)
    asked = X.clone().requires_grad_()
    marginal = marginal_score(network, asked, T)  # type: ignore[arg-type]
    assert marginal[0].flatten().tolist() == pytest.approx(score(X[0].flatten().tolist()), abs=1e-5)


def test_labels_are_a_share_of_each_class() -> None:
    classes = torch.tensor([0] * 200 + [1] * 1000 + [2] * 3)
    rows = labelled(classes, 0.05, seed=1)
    assert classes[rows].bincount().tolist() == [10, 50, 1]
    assert len(rows.unique()) == len(rows)
    assert torch.equal(rows, labelled(classes, 0.05, seed=1))
    assert not torch.equal(rows, labelled(classes, 0.05, seed=2))
    assert len(labelled(classes, 1.0, seed=1)) == len(classes)


def test_a_plain_classifier_sees_labelled_images_only(data: Pictures) -> None:
    """Changing the others changes a self-calibrated classifier only."""
    rows = torch.arange(10)
    for weight, same in ((0.0, True), (1.0, False)):
        states = []
        for change in (False, True):
            pixels = data.pixels.clone()
            if change:
                pixels[10:] = 0
            training = ClassifierTraining(Pictures(pixels, data.classes), rows, weight, VP(), 1, 4)
            training.step()
            states.append(training.network.into.weight.detach().clone())
        assert torch.equal(*states) == same


def test_the_command_trains_everything_once(
    data: Pictures,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("LACELANG_CACHE", str(tmp_path))
    monkeypatch.setattr(train_guided, "pictures", lambda *_: data)
    for step in (ScoreTraining, ClassifierTraining):
        monkeypatch.setattr(step, "step", lambda *_: None)
    assert main(["--seeds", "7"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1 + 2 * len(train_guided.SHARES)
    monkeypatch.setattr(train_guided, "pictures", None)
    model, _ = train_guided.score_model("VP-SDE", "fashion", Silent())
    guide, _ = train_guided.classifier(Guide(0.05, True, 7), "fashion", Silent())
    images, classes = train_guided.generated(model, guide, 1, 2, 1.0, seed=0)
    assert images.shape == (10, 1, 32, 32)
    assert classes.tolist() == list(range(10))
    again, _ = train_guided.generated(model, guide, 1, 2, 1.0, seed=0)
    assert torch.equal(images, again)


def test_a_score_model_learns(data: Pictures) -> None:
    """One image for all: after a few steps the noise is predicted better than by nothing."""
    training = ScoreTraining(data.take(torch.zeros(4, dtype=torch.int64)), VP(), 1, batch=4)
    for _ in range(12):
        training.step()
    torch.manual_seed(0)
    x, t = training.data.at(slice(None)), torch.linspace(0.5, 1.0, 4)
    noise = torch.randn_like(x)
    missed = training.network(noisy(VP(), x, t, noise), t) - noise
    assert missed.square().mean() < 0.9
