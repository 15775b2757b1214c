"""Linear probes: regularised logistic regression, and measures of accuracy."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from attrs import frozen
from numpy.typing import NDArray
from safetensors.numpy import save_file

from lacelang.annotators.faces.annotation import Floats, Probe

Ints = NDArray[np.int64]


@frozen
class Figures:
    """The accuracy of a probe on held-out faces.

    `balanced` is the mean recall of the classes; `auc` is NaN for more than two.
    """

    faces: int
    accuracy: float
    balanced: float
    auc: float


def fit(
    features: Floats, labels: Ints, classes: int = 2, penalty: float = 0.01, balance: float = 0.5
) -> Probe:
    """Fit a probe by penalised maximum likelihood, with one logit for two classes.

    `penalty` is the weight of the squared coefficients of the standardised features, per face.
    The weight of a class is its size to the power 1 − `balance`.
    """
    mean, scale = features.mean(0), features.std(0) + 1e-6
    # In the basis of the data's singular vectors the problem has at most as many unknowns as
    # faces. The penalty is a length, so it does not change.
    directions = np.linalg.svd((features - mean) / scale, full_matrices=False)[2].T
    x = torch.from_numpy((features - mean) / scale @ directions)
    y = torch.from_numpy(labels)
    sizes = np.maximum(np.bincount(labels, minlength=classes), 1)
    importance = torch.from_numpy((len(labels) / (classes * sizes)) ** balance)[y]
    importance = importance / importance.sum()
    weight = torch.zeros(x.shape[1], classes, dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(classes, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS(
        [weight, bias],
        max_iter=100,
        tolerance_grad=1e-6,
        tolerance_change=1e-8,
        line_search_fn="strong_wolfe",
    )

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        surprise = torch.nn.functional.cross_entropy(x @ weight + bias, y, reduction="none")
        value = (surprise * importance).sum() + penalty * (weight**2).sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimiser.step(loss)  # type: ignore[no-untyped-call]
    w = directions @ weight.detach().numpy() / scale[:, None]
    b = bias.detach().numpy() - mean @ w
    if classes == 2:
        return Probe(w[:, 1:] - w[:, :1], b[1:] - b[:1])
    return Probe(w, b)


def held_out(
    features: Floats,
    labels: Ints,
    classes: int = 2,
    penalty: float = 0.01,
    balance: float = 0.5,
    folds: int = 10,
) -> Floats:
    """Return the logits of each face by a probe fitted to the other folds, (N, C)."""
    order = np.random.Generator(np.random.Philox(key=[0, len(labels)])).permutation(len(labels))
    fold = np.empty(len(labels), dtype=np.int64)
    fold[order] = np.arange(len(labels)) % folds
    logits = np.zeros((len(labels), 1 if classes == 2 else classes))
    for k in range(folds):
        rest = fold != k
        logits[~rest] = fit(features[rest], labels[rest], classes, penalty, balance)(
            features[~rest]
        )
    return logits


def figures(logits: Floats, labels: Ints) -> Figures:
    """Compare logits (N, C) with labels (N,)."""
    binary = logits.shape[1] == 1
    guess = (logits[:, 0] > 0).astype(np.int64) if binary else logits.argmax(1)
    right = guess == labels
    recall = [float(right[labels == c].mean()) for c in np.unique(labels)]
    area = auc(logits[:, 0], labels) if binary else float("nan")
    return Figures(len(labels), float(right.mean()), float(np.mean(recall)), area)


def auc(scores: Floats, labels: Ints) -> float:
    """Return the probability that label 1 scores above label 0; ties count half."""
    ones, zeros = scores[labels == 1], np.sort(scores[labels == 0])
    below = np.searchsorted(zeros, ones, "left") + np.searchsorted(zeros, ones, "right")
    return float(below.mean() / 2 / len(zeros))


def save(probes: Mapping[str, Probe], path: Path) -> None:
    """Write probes by name to a safetensors file, in float32."""
    tensors = {}
    for name, probe in probes.items():
        tensors[f"{name}.weight"] = probe.weight.astype(np.float32)
        tensors[f"{name}.bias"] = probe.bias.astype(np.float32)
    save_file(tensors, path)
