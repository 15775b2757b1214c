"""Probes: fitting, figures on held-out faces, files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from experiments import probes
from experiments.probes import Ints
from lacelang.annotators.faces.annotation import Floats, load_probe


def clouds(classes: int, gap: float, count: int = 150) -> tuple[Floats, Ints]:
    rng = np.random.default_rng(0)
    labels = np.arange(count) % classes
    features = rng.normal(size=(count, 4))
    features[np.arange(count), labels] += gap
    return features * np.array([1.0, 100.0, 0.01, 1.0]), labels


def test_separable_classes_are_learned() -> None:
    features, labels = clouds(2, 6.0)
    logits = probes.fit(features, labels)(features)
    assert logits.shape == (150, 1)
    assert ((logits[:, 0] > 0) == (labels == 1)).all()


@pytest.mark.slow
def test_many_classes() -> None:
    features, labels = clouds(3, 6.0)
    found = probes.figures(probes.held_out(features, labels, 3), labels)
    assert found.accuracy > 0.95
    assert found.balanced > 0.95


def test_held_out_figures_of_noise_are_chance() -> None:
    rng = np.random.default_rng(1)
    features, labels = rng.normal(size=(300, 60)), rng.integers(0, 2, 300)
    fitted = probes.figures(probes.fit(features, labels, penalty=1e-4)(features), labels)
    found = probes.figures(probes.held_out(features, labels, penalty=1e-4), labels)
    assert fitted.auc > 0.75, "the test means something only if there is overfitting"
    assert abs(found.auc - 0.5) < 0.1


def test_penalty_shrinks() -> None:
    features, labels = clouds(2, 3.0)
    weak, strong = (
        probes.fit(features, labels, penalty=1e-3),
        probes.fit(features, labels, penalty=1),
    )
    assert np.abs(strong.weight).sum() < np.abs(weak.weight).sum() / 3


def test_auc() -> None:
    labels = np.array([0, 0, 1, 1])
    assert probes.auc(np.array([1.0, 2.0, 3.0, 4.0]), labels) == 1.0
    assert probes.auc(np.array([1.0, 3.0, 2.0, 4.0]), labels) == 0.75
    assert probes.auc(np.ones(4), labels) == 0.5


def test_balanced_accuracy_ignores_how_common_a_class_is() -> None:
    labels = np.array([0] * 90 + [1] * 10)
    found = probes.figures(np.full((100, 1), -1.0), labels)
    assert found.accuracy == pytest.approx(0.9)
    assert found.balanced == pytest.approx(0.5)


def test_probes_survive_a_file(tmp_path: Path) -> None:
    features, labels = clouds(3, 3.0)
    fitted = probes.fit(features, labels, 3)
    probes.save({"colour": fitted, "other": fitted}, tmp_path / "probes.safetensors")
    loaded = load_probe(tmp_path / "probes.safetensors", "other")
    assert loaded(features) == pytest.approx(fitted(features), rel=1e-4, abs=1e-3)
