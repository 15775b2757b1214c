"""The spec of few labels, without training or decoding: pseudo-labels, and its tables."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch

from experiments import pseudo_labels
from experiments.specs import few_labels as spec
from lacelang.classifiers.labels import Examples
from lacelang.ir import BinaryAttribute

SMILE = BinaryAttribute("smile")
INPUTS = 20


def latents(count: int, seed: int) -> np.ndarray:
    w = np.random.default_rng(seed).standard_normal((count, INPUTS)).astype(np.float32)
    return w * np.linspace(2.0, 0.2, INPUTS, dtype=np.float32)


def test_pseudo_labels_learn_what_the_labels_say() -> None:
    w = latents(60, 0)
    examples = Examples(w, {"smile": (w[:, 0] > 0).astype(np.float32)}, np.zeros(60, bool))
    result = pseudo_labels.train(examples, [SMILE], latents(400, 1))
    fresh = latents(500, 2)
    decided = result.heads(torch.from_numpy(fresh))["smile"].argmax(1).numpy()
    assert (decided == (fresh[:, 0] > 0)).mean() > 0.85
    assert result.report["recipe"] == "pseudo-labels"


def test_tables_average_over_attributes_and_seeds() -> None:
    keys = list(product(spec.METHODS, spec.COUNTS, range(spec.SEEDS)))
    measures = {
        "accuracy": 0.8,
        "balanced_accuracy": 0.7,
        "nll": 0.4,
        "ece": 0.05,
        "ece_before": 0.1,
    }
    figures = {
        (method, count, seed): {
            name: {**measures, "accuracy": 0.8 + seed / 100} for name in spec.ATTRIBUTES
        }
        for method, count, seed in keys
    }
    acc = {(key, name): 0.9 for key in keys if key[0] in spec.JUDGED for name in spec.ATTRIBUTES}
    table = spec._summary(figures, acc, 4)
    assert len(table.rows) == len(spec.METHODS) * len(spec.COUNTS)
    first = table.rows[0]
    assert first["accuracy"] == pytest.approx(0.82)
    # Student's t with four degrees of freedom: 2.776 s / sqrt(5).
    assert first["± accuracy"] == pytest.approx(2.776 * 0.0158 / 5**0.5, abs=1e-3)
    assert first["ACC"] == pytest.approx(0.9)
    (by_attribute,) = spec._by_attribute(figures, acc)
    assert len(by_attribute.rows) == len(spec.ATTRIBUTES) * len(spec.COUNTS)
    assert spec._figure("acc", "ACC", spec.JUDGED, spec._mean_acc(acc)).draw().width > 400
