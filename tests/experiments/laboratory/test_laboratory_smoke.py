"""Each other system of the laboratory learns something in five minutes, on real images."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from experiments.laboratory import loop, train_latent
from experiments.laboratory.data import pictures
from experiments.laboratory.judges import judges
from experiments.laboratory.measures import measures
from experiments.laboratory.train_energies import trained
from experiments.laboratory.train_guided import Guide, classifier, generated, score_model
from experiments.laboratory.train_style_gan import trained as generator_of
from lacelang.progress import Silent

pytestmark = [pytest.mark.slow, pytest.mark.weights]


@pytest.fixture(autouse=True)
def _cache_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The trained networks go elsewhere; the data is that of the user's cache."""
    monkeypatch.delenv("LACELANG_DATA", raising=False)
    monkeypatch.setattr(loop, "cache_dir", lambda: tmp_path)


def test_a_guided_score_model_shows_the_class() -> None:
    model, _ = score_model("VP-SDE", "fashion", Silent(), steps=800)
    guide, _ = classifier(Guide(1.0, False, 1), "fashion", Silent(), steps=200)
    found = measures("fashion").of(*generated(model, guide, 10, 40, 10.0, seed=0))
    assert found.acc is not None
    assert found.acc > 0.25  # 0.1 by chance


@pytest.mark.parametrize("calibrated", [False, True])
def test_a_guiding_classifier_names_the_classes_of_noisy_images(calibrated: bool) -> None:
    network, _ = classifier(Guide(1.0, calibrated, 1), "fashion", Silent(), steps=200)
    test = pictures("fashion", "test").take(slice(500))
    with torch.no_grad():
        seen = network(test.at(slice(None)), torch.full((500,), 0.05)).argmax(1)
    assert (seen == test.classes).float().mean() > 0.6


@pytest.mark.parametrize("name", ["JEM", "Cond-EBM"])
def test_an_energy_tells_real_images_of_the_class(name: str) -> None:
    model, _ = trained(name, "fashion", Silent(), steps=60)
    test = pictures("fashion", "test").take(slice(500))
    with torch.no_grad():
        f = model.network(test.at(slice(None)))
    assert torch.isfinite(f).all()
    assert (f.argmax(1) == test.classes).float().mean() > 0.3


def test_lace_asks_a_generator_for_classes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        train_latent, "trained", lambda *_: generator_of("fashion", Silent(), steps=200)
    )
    monkeypatch.setattr(train_latent, "LABELLED", 2000)
    monkeypatch.setattr(train_latent, "STEPS", 800)
    own, _ = train_latent.latents("fashion", "w", Silent())
    images, classes = own.sample("LACE-ODE", 10, seed=0)
    # What the classifier learned from: the images of so short a training are hardly clothes.
    seen = judges("fashion").read(images)[1].argmax(1)
    assert (seen == classes).float().mean() > 0.2  # 0.1 by chance
