"""FID and inception score against their formulas, and what judges make of classes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm

from experiments.laboratory import judges as judging
from experiments.laboratory import train_judges
from experiments.laboratory.data import Pictures, pictures
from experiments.laboratory.judges import FEATURES, Judge, Judges, Reader, judges
from experiments.laboratory.measures import Measures, frechet, inception_score
from lacelang.errors import ResourceError
from lacelang.progress import Silent


def features(seed: int, count: int, shift: float) -> torch.Tensor:
    random = torch.Generator().manual_seed(seed)
    mix = torch.randn(FEATURES, FEATURES, generator=torch.Generator().manual_seed(seed + 50))
    return torch.randn(count, FEATURES, generator=random) @ mix / 8 + shift


def test_the_frechet_distance_is_that_of_gaussians() -> None:
    real, fake = features(1, 400, 0.0), features(2, 300, 0.3)
    x, y = real.double().numpy(), fake.double().numpy()
    a, b = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    between = ((x.mean(0) - y.mean(0)) ** 2).sum()
    wanted = between + np.trace(a + b - 2 * sqrtm(a @ b).real)
    assert frechet(real, fake) == pytest.approx(wanted, rel=1e-3)
    assert frechet(real, real) == pytest.approx(0, abs=1e-3)


def test_the_inception_score_is_the_exponential_of_the_mean_divergence() -> None:
    logits = 3 * torch.randn(90, 10, generator=torch.Generator().manual_seed(0))
    p = logits.softmax(1)
    wanted = (p * (p / p.mean(0)).log()).sum(1).mean().exp()
    state = torch.get_rng_state()
    assert inception_score(logits) == pytest.approx(float(wanted), rel=1e-4)
    assert torch.equal(torch.get_rng_state(), state)
    # Ten classes, each certain and equally frequent, is the most there is.
    certain = 50 * torch.eye(10).repeat(10, 1)
    assert inception_score(certain) == pytest.approx(10, rel=1e-3)
    assert inception_score(torch.zeros(100, 10)) == pytest.approx(1, rel=1e-5)


@pytest.fixture
def made_up() -> Measures:
    torch.manual_seed(0)
    found = Judges(Judge(1).eval(), Reader(1).eval(), (0.5, 0.5))
    images = torch.randn(200, 1, 32, 32)
    return Measures(found, found.read(images)[0], torch.arange(200) % 10)


def test_figures_of_classes_need_classes(made_up: Measures) -> None:
    images = torch.randn(200, 1, 32, 32)
    without = made_up.of(images)
    assert without.acc is without.intra_fid is None
    seen = made_up.judges.classes(images)
    assert made_up.of(images, seen).acc == 1
    assert made_up.of(images, (seen + 1) % 10).acc == 0
    assert made_up.of(images, seen).fid == without.fid
    assert made_up.of(images, torch.arange(200) % 10).row()["intra-FID"] > 0


def test_intra_fid_is_the_mean_over_classes(made_up: Measures) -> None:
    images, asked = torch.randn(200, 1, 32, 32), torch.arange(200) % 10
    own = made_up.judges.read(images)[0]
    each = [frechet(made_up.features[made_up.classes == k], own[asked == k]) for k in range(10)]
    assert made_up.of(images, asked).intra_fid == pytest.approx(sum(each) / 10)


def test_judges_are_trained_saved_and_read_back(tmp_path, monkeypatch, capsys) -> None:
    """On two classes of bars, so that a few images are enough."""
    classes = torch.arange(64) % 2
    pixels = torch.zeros(64, 1, 32, 32, dtype=torch.uint8)
    pixels[classes == 0, :, 12:20] = 255
    pixels[classes == 1, :, :, 12:20] = 255
    monkeypatch.setattr(train_judges, "pictures", lambda *_: Pictures(pixels, classes))
    monkeypatch.setenv("LACELANG_CACHE", str(tmp_path))
    monkeypatch.setattr(judging, "WEIGHTS", tmp_path / "none")
    judges.cache_clear()
    with pytest.raises(ResourceError, match="no judges of mnist"):
        judges("mnist")
    assert train_judges.main(["mnist", "--epochs", "12"]) == 0
    assert capsys.readouterr().out.strip().endswith("judges-mnist.safetensors")
    found = judges("mnist")
    data = Pictures(pixels, classes)
    assert found.accuracy == (1.0, 1.0)
    assert train_judges.accuracy(found.judge, data) == 1
    judges.cache_clear()
    judging.file_of("mnist").write_bytes(b"no weights")
    with pytest.raises(ResourceError, match="damaged"):
        judges("mnist")
    judges.cache_clear()


@pytest.mark.weights
def test_the_committed_judges_know_real_images() -> None:
    found = judges("fashion")
    test = pictures("fashion", "test", Silent()).take(slice(1000))
    share = float((found.classes(test.at(slice(None))) == test.classes).float().mean())
    assert share == pytest.approx(found.accuracy[0], abs=0.03)
    assert min(found.accuracy) > 0.88
