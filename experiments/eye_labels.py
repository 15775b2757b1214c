"""The manually labelled faces, and fitting the annotators' probes to them.

`ffhq.eye.csv` has a row per labelled face: how to draw it (seed, index and truncation) and its
labels. An empty cell was not labelled. `?` marks an unclear case: light stubble, half a smile, a
child's gender, hair between two colours or under coloured light. Unclear cells are used neither
for fitting nor for evaluation, so the figures are about clear faces.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from experiments import probes
from experiments.probes import Figures
from experiments.statements import MODEL
from lacelang.annotators.faces import COLOURS
from lacelang.annotators.faces.annotation import LIPS, LOWER, Probe, colour_features
from lacelang.classifiers.draws import Draws
from lacelang.resources import shipped

#: Its attributes, each with its values in the order of the class indices.
VALUES: dict[str, tuple[str, ...]] = {
    "beard": ("0", "1"),
    "smile": ("0", "1"),
    "gender": ("female", "male"),
    "haircolor": COLOURS,
}


@frozen
class EyeLabel:
    """One labelled face: how to draw it, and the class of each clear attribute."""

    seed: int
    index: int
    truncation: float
    seen: dict[str, int]

    def latent(self, dim: int) -> NDArray[np.float32]:
        """The face's z, float32 (dim,): drawn in double precision from its own Philox stream."""
        stream = np.random.Generator(np.random.Philox(key=[self.seed, self.index]))
        return stream.standard_normal(dim).astype(np.float32)


Features: TypeAlias = Callable[[NDArray[np.float32], NDArray[np.float16]], NDArray[np.float64]]
#: The features (N, F) of each probe, from raw measures and embedding, and its penalty, the best of
#: ten-fold cross-validation.
RECIPES: dict[str, tuple[Features, float]] = {
    "beard": (lambda _, e: e[:, LOWER].astype(np.float64), 0.01),
    "smile": (lambda _, e: e[:, LIPS].astype(np.float64), 0.01),
    "haircolor": (lambda raw, _: colour_features(raw), 0.001),
}


def read(path: Path | None = None) -> list[EyeLabel]:
    """Read manual labels, by default the shipped ones."""
    with (path or shipped("stdlib") / f"{MODEL}.eye.csv").open(newline="") as file:
        return [_label(row) for row in csv.DictReader(file)]


def _label(row: dict[str, str]) -> EyeLabel:
    seen = {
        name: values.index(row[name])
        for name, values in VALUES.items()
        if row[name] not in ("", "?", "hidden")
    }
    return EyeLabel(int(row["seed"]), int(row["index"]), float(row["truncation"]), seen)


def fit(
    labels: Sequence[EyeLabel], raw: NDArray[np.float32], embedding: NDArray[np.float16]
) -> dict[str, Probe]:
    """Fit every probe to N labelled faces, by raw measures (N, M) and embeddings (N, E).

    The shipped file is `probes.save` of the result.
    """
    return {
        name: probes.fit(*_clear(name, labels, raw, embedding), len(VALUES[name]), penalty)
        for name, (_, penalty) in RECIPES.items()
    }


def held_out(
    labels: Sequence[EyeLabel], raw: NDArray[np.float32], embedding: NDArray[np.float16]
) -> dict[str, Figures]:
    """Evaluate every probe by ten-fold cross-validation; see `fit`."""
    figures = {}
    for name, (_, penalty) in RECIPES.items():
        x, y = _clear(name, labels, raw, embedding)
        logits = probes.held_out(x, y, len(VALUES[name]), penalty)
        figures[name] = probes.figures(logits, y)
    return figures


def _clear(
    name: str,
    labels: Sequence[EyeLabel],
    raw: NDArray[np.float32],
    embedding: NDArray[np.float16],
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return features (n, F) and classes (n,) of the clear faces."""
    features = RECIPES[name][0](raw, embedding)
    usable = np.array([name in label.seen for label in labels]) & np.isfinite(features).all(1)
    classes = np.array([label.seen.get(name, -1) for label in labels])
    return features[usable], classes[usable]


def draws(labels: Sequence[EyeLabel], dim: int) -> Draws:
    """Return the latents (N, dim) of the labelled faces."""
    psi = np.array([label.truncation for label in labels], dtype=np.float32)
    return Draws(np.stack([label.latent(dim) for label in labels]), psi)
