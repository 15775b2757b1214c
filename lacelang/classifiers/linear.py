"""Regularised linear classifiers, whose penalty cross-validation chooses: for few labels.

Inputs are w itself, of one common scale. The generator's own scale of each direction is kept: what
differs much between samples is what people see, and with few labels it is what can be learned.
Whitened inputs need ten times the labels.
"""

from __future__ import annotations

import numpy as np
import torch
from attrs import frozen
from torch import Tensor
from torch.nn import functional as F

from lacelang.classifiers.labels import Rows

#: Penalties that are tried, from the strongest, times the number of rows. With stronger ones the
#: outputs for left-out rows follow the shares of the classes among the others only.
PENALTIES = tuple(0.2 * 10.0**power for power in np.arange(1.0, -1.6, -0.5))
FOLDS = 5
_STEPS = 60


@frozen(eq=False)
class Linear:
    """A fitted linear function of x (N, d): weight (C, d), bias (C,), C = 1 for a number.

    Attributes:
        crossed: outputs (N, C) of the labelled rows, each from the other folds.
    """

    weight: Tensor
    bias: Tensor
    penalty: float
    crossed: Tensor


def folds(labels: Tensor, seed: int, discrete: bool) -> Rows:
    """Assign N rows to `FOLDS` folds, each class evenly."""
    order = np.random.default_rng(np.random.Philox(key=seed)).permutation(len(labels))
    if discrete:
        order = order[np.argsort(labels.numpy()[order], kind="stable")]
    place = np.empty(len(labels), np.int64)
    place[order] = np.arange(len(labels)) % FOLDS
    return place


def fit(x: Tensor, labels: Tensor, classes: int, seed: int) -> Linear:
    """Fit labels (N,): classes 0 … `classes` - 1 by logistic regression, numbers by least squares.

    `classes` is 0 for numbers. The penalty is on the squared weights, per row; that with the least
    loss on left-out folds is used. The bias is free.
    """
    x = x.double()
    wide = x.shape[1]
    # The rows span as many directions at most as there are rows.
    left, size, right = torch.linalg.svd(x / wide**0.5, full_matrices=False)
    features = left * size
    y = labels.long() if classes else labels.double()
    solve = _logistic if classes else _least_squares
    place = torch.from_numpy(folds(labels, seed, classes > 0))
    others = torch.stack([place != fold for fold in range(FOLDS)]).double()
    width = max(classes, 1)
    outputs = []
    penalties = tuple(penalty / len(x) for penalty in PENALTIES)
    for weight, bias in solve(features, y, width, penalties, others):
        each = features @ weight.mT + bias[:, None]  # (folds, N, C)
        outputs.append(each[place, torch.arange(len(x))])
    best = int(np.argmin([_loss(each, y, classes) for each in outputs]))
    whole = torch.ones(1, len(x), dtype=torch.float64)
    weight, bias = solve(features, y, width, penalties[: best + 1], whole)[-1]
    return Linear(weight[0] @ right / wide**0.5, bias[0], penalties[best], outputs[best])


def refit(x: Tensor, classes: Tensor, width: int, penalty: float, weights: Tensor) -> Linear:
    """Fit classes (N,) with a given penalty and weights of the rows (N,), without cross-validation.

    `crossed` are outputs of classifiers that saw the rows.
    """
    x, scale = x.double(), x.shape[1] ** 0.5
    fits = _logistic(x / scale, classes.long(), width, (penalty,), weights.double()[None])
    weight, bias = fits[0][0][0] / scale, fits[0][1][0]
    return Linear(weight, bias, penalty, x @ weight.T + bias)


def _loss(outputs: Tensor, y: Tensor, classes: int) -> float:
    error = F.cross_entropy(outputs, y) if classes else ((outputs[:, 0] - y) ** 2).mean()
    return float(error)


Path = list[tuple[Tensor, Tensor]]
"""For each penalty, weights (K, C, d) and biases (K, C) of K fits to other shares of the rows."""


def _logistic(
    x: Tensor, y: Tensor, classes: int, penalties: tuple[float, ...], shares: Tensor
) -> Path:
    """Fit rows weighted by `shares` (K, N), for each penalty from where the one before ended."""
    shares = shares / shares.sum(dim=1, keepdim=True)
    weight = torch.zeros(len(shares), classes, x.shape[1], dtype=x.dtype, requires_grad=True)
    # A class that no row has is not impossible.
    counts = torch.bincount(y, minlength=classes).double() + 1 / classes
    bias = counts.log().expand(len(shares), -1).clone().requires_grad_()
    wanted = y.expand(len(shares), -1)
    found = []
    for penalty in penalties:
        optimiser = torch.optim.LBFGS(
            [weight, bias], max_iter=_STEPS, tolerance_grad=1e-6, line_search_fn="strong_wolfe"
        )

        def loss(optimiser: torch.optim.LBFGS = optimiser, penalty: float = penalty) -> Tensor:
            optimiser.zero_grad()
            logits = x @ weight.mT + bias[:, None]
            each = F.cross_entropy(logits.mT, wanted, reduction="none")
            total = (each * shares).sum() + 0.5 * penalty * weight.square().sum()
            # Shifting all biases changes nothing; a class that is missing would be pushed away.
            total = total + 0.5e-3 * bias.square().sum()
            total.backward()  # type: ignore[no-untyped-call]
            return total

        optimiser.step(loss)  # type: ignore[no-untyped-call]
        found.append((weight.detach().clone(), bias.detach().clone()))
    return found


def _least_squares(
    x: Tensor, y: Tensor, _: int, penalties: tuple[float, ...], shares: Tensor
) -> Path:
    shares = shares / shares.sum(dim=1, keepdim=True)
    centre, mean = shares @ x, shares @ y  # (K, d), (K,)
    weighted = x * shares[:, :, None]
    inner = weighted.mT @ x - centre[:, :, None] * centre[:, None]
    against = (weighted.mT @ y) - centre * mean[:, None]
    found = []
    for penalty in penalties:
        ridge = inner + penalty * torch.eye(x.shape[1], dtype=x.dtype)
        weight = torch.linalg.solve(ridge, against)
        bias = mean - (centre * weight).sum(dim=1)
        found.append((weight[:, None], bias[:, None]))
    return found
