"""The eye labels, and the shipped probes against them."""

from __future__ import annotations

import numpy as np
import pytest

from experiments import eye_labels as eye
from lacelang.annotators.faces.annotation import LIPS, MEASURES


def test_labels_are_enough_to_fit_to() -> None:
    labels = eye.read()
    assert len({(label.seed, label.index) for label in labels}) == len(labels)
    beards = [label.seen["beard"] for label in labels if "beard" in label.seen]
    assert len(beards) >= 400
    assert sum(beards) >= 100
    colours = [label.seen["haircolor"] for label in labels if "haircolor" in label.seen]
    assert np.bincount(colours, minlength=5).min() >= 10


def test_latents_are_reproducible_and_normal() -> None:
    first = eye.read()[0].latent(512)
    assert first.dtype == np.float32
    assert first == pytest.approx(eye.read()[0].latent(512), abs=0)
    sample = np.stack([label.latent(512) for label in eye.read()[:50]])
    assert sample.std() == pytest.approx(1.0, abs=0.02)


def test_open_cells_are_not_fitted() -> None:
    row = dict(seed="1", index="2", truncation="0.7", beard="?", smile="", gender="male")
    label = eye._label(row | {"haircolor": "hidden"})
    assert label.seen == {"gender": 1}


@pytest.mark.slow
def test_fit_finds_what_the_labels_depend_on() -> None:
    rng = np.random.default_rng(0)
    embedding = rng.normal(size=(120, LIPS.stop)).astype(np.float16)
    raw = rng.uniform(1, 60, size=(120, len(MEASURES))).astype(np.float32)
    lightness = raw[:, MEASURES.index("hair_l")]
    labels = [
        eye.EyeLabel(
            0, i, 1.0, {"beard": i % 2, "smile": i % 2, "haircolor": int(lightness[i] // 15)}
        )
        for i in range(120)
    ]
    for i in range(120):
        embedding[i, eye.LOWER] += np.float16(i % 2)
    figures = eye.held_out(labels, raw, embedding)
    assert figures["beard"].auc > 0.95
    assert abs(figures["smile"].auc - 0.5) < 0.25, "the lips say nothing here"
    assert figures["haircolor"].accuracy > 0.8
    beard = eye.fit(labels, raw, embedding)["beard"](embedding[:, eye.LOWER])[:, 0]
    assert ((beard > 0) == (np.arange(120) % 2 == 1)).mean() > 0.95
