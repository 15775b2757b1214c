"""A classifier of one attribute from few labels, and how good it is on what it did not see.

`learn` is what `lacelang teach` trains with. With tens or hundreds of labels in 512 dimensions a
linear classifier with a strong penalty does better than the networks of `training`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from attrs import frozen
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from lacelang.classifiers.calibration import Calibration, cross_fitted, fit, residual, score
from lacelang.classifiers.classifier import Heads
from lacelang.errors import UsageError
from lacelang.ir import Attribute

Floats = NDArray[np.float32]

FEWEST_OF_A_CLASS = 5
FEWEST_NUMBERS = 20
#: Below so many labels the interval of the accuracy is wide.
FEW = 50
FOLDS = 10
#: Precision of the normal prior of each weight, of standardised inputs.
PENALTY = 100.0
#: Posterior draws behind an interval of balanced accuracy.
_DRAWS = 20_000
#: Random labels from which shares of classes are estimated; fewer say too little.
FEWEST_RANDOM = 20


@frozen(eq=False)
class Prior:
    """Means and standard deviations (d,) of the classifier's input under the prior."""

    mean: Tensor
    std: Tensor

    @classmethod
    def of(cls, w: Floats) -> Prior:
        """Estimate them from draws (M, d)."""
        x = torch.from_numpy(w)
        return cls(x.mean(dim=0), x.std(dim=0).clamp(min=1e-6))


@frozen(eq=False)
class Learned:
    """A calibrated classifier of one attribute, and its figures (JSON values)."""

    heads: Heads
    figures: dict[str, Any]


def learn(
    w: Floats,
    values: Floats,
    attribute: Attribute,
    prior: Prior,
    *,
    random: NDArray[np.bool_] | None = None,
    seed: int = 0,
) -> Learned:
    """Train, calibrate and cross-validate a classifier of N labelled latents.

    Calibration and figures come from outputs for rows that were held out. They are of the labelled
    rows; where those were chosen to be hard, the accuracy on draws from the prior is higher.

    Args:
        w: what the classifier reads, (N, d).
        values: class numbers or values (N,).
        attribute: what they are of.
        prior: of w.
        random: which rows are plain draws from the prior (N,); from them come the shares of the
            classes under the prior. None means all.
        seed: of the division into folds.

    Raises:
        UsageError: the labels are too few, or all the same.
    """
    require_enough(values, attribute)
    x, y = torch.from_numpy(w), torch.from_numpy(values)
    outputs = _held_out(x, y, attribute, prior, seed)
    heads = trained(w, values, attribute, prior)
    calibration = fit(outputs, y)
    figures: dict[str, Any] = {"kind": attribute.kind, "unit": attribute.unit}
    if attribute.discrete:
        classes = values.astype(np.int64)
        plain = np.ones(len(w), bool) if random is None else random
        if plain.sum() < FEWEST_RANDOM:
            plain = np.ones(len(w), bool)
        shift, shares = _prior_shift(classes, plain, attribute.width)
        figures |= {
            "counts": dict(
                zip(
                    attribute.values,
                    np.bincount(classes, minlength=attribute.width).tolist(),
                    strict=True,
                )
            ),
            "shares": dict(zip(attribute.values, shares.tolist(), strict=True)),
            "random": int(plain.sum()),
            "temperature": 1.0 / calibration.gain,
            **accuracy(outputs.argmax(dim=1).numpy(), classes, attribute.width),
        }
        final = Calibration(calibration.gain, calibration.shift + shift)
    else:
        final = calibration
        heads.sigma[attribute.name] = residual(final(outputs), y)
        figures["sigma"] = heads.sigma[attribute.name]
    crossed = cross_fitted(outputs, y)
    figures["held_out"] = score(attribute, crossed, y)
    heads.gain.fill_(final.gain)
    heads.shift.copy_(final.shift)
    return Learned(heads.freeze(), figures)


def require_enough(values: Floats, attribute: Attribute) -> None:
    """Raise a UsageError if a classifier cannot be trained and held out on these values (N,)."""
    name = attribute.name
    if not attribute.discrete:
        if len(values) < FEWEST_NUMBERS:
            raise UsageError(f"{name}: {len(values)} labels, and a number needs {FEWEST_NUMBERS}")
        if len(np.unique(values)) < 2:
            raise UsageError(f"{name}: every label is {values[0]:g}; there is nothing to learn")
        return
    counts = np.bincount(values.astype(np.int64), minlength=attribute.width)
    if (counts > 0).sum() < 2:
        only = attribute.values[int(counts.argmax())] if len(values) else "none"
        raise UsageError(
            f"{name}: all {len(values)} labels are {only}; label images of the other "
            f"class{'es' if attribute.width > 2 else ''} too"
        )
    few = [
        f"{v} has {n}"
        for v, n in zip(attribute.values, counts, strict=True)
        if n < FEWEST_OF_A_CLASS
    ]
    if few:
        raise UsageError(
            f"{name}: every class needs {FEWEST_OF_A_CLASS} labels or more, and {', '.join(few)}"
        )


def trained(w: Floats, values: Floats, attribute: Attribute, prior: Prior) -> Heads:
    """Return linear heads trained on all rows, uncalibrated.

    Classes count alike, however many labels each has. The penalty is that of a normal prior on
    each weight (ridge), so that the optimum is unique.
    """
    heads = Heads([attribute], inputs=w.shape[1], hidden=())
    heads.mean.copy_(prior.mean)
    heads.std.copy_(prior.std)
    x, y = heads.standardise(torch.from_numpy(w)).double(), torch.from_numpy(values)
    weight, bias = _classes(x, y.long(), attribute.width) if attribute.discrete else _numbers(x, y)
    with torch.no_grad():
        # Rounded as in a saved file, so that a loaded classifier is the same one.
        heads.weights[0].copy_(weight.half().float()[None])
        heads.biases[0].copy_(bias.half().float()[None, None])
    return heads.freeze()


def _classes(x: Tensor, classes: Tensor, width: int) -> tuple[Tensor, Tensor]:
    """Multinomial logistic regression: weights (C, d) and biases (C,)."""
    counts = torch.bincount(classes, minlength=width).clamp(min=1)
    each = (len(classes) / (width * counts)).double()
    weight = torch.zeros(width, x.shape[1], dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(width, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS(
        [weight, bias], max_iter=200, tolerance_grad=1e-8, line_search_fn="strong_wolfe"
    )

    def loss() -> Tensor:
        optimiser.zero_grad()
        nll = F.cross_entropy(x @ weight.T + bias, classes, weight=each, reduction="sum")
        penalised = nll + 0.5 * (PENALTY * weight.square().sum() + bias.square().sum())
        penalised.backward()  # type: ignore[no-untyped-call]
        return penalised

    optimiser.step(loss)  # type: ignore[no-untyped-call]
    return weight.detach(), bias.detach()


def _numbers(x: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
    """Ridge regression: weights (1, d) and a bias (1,), solved in the space of the rows."""
    y = values.double()
    middle, spread = y.mean(), y.std().clamp(min=1e-12)
    centre = x.mean(dim=0)
    rows = x - centre
    gram = rows @ rows.T + PENALTY * torch.eye(len(rows), dtype=torch.float64)
    weight = rows.T @ torch.linalg.solve(gram, (y - middle) / spread) * spread
    return weight[None], (middle - centre @ weight)[None]


def _held_out(x: Tensor, y: Tensor, attribute: Attribute, prior: Prior, seed: int) -> Tensor:
    """Outputs for every row by a classifier that did not see it: (N, C) or (N,)."""
    rng = np.random.default_rng(np.random.Philox(key=seed))
    order = rng.permutation(len(x))
    if attribute.discrete:
        # Every fold has its share of every class.
        order = order[np.argsort(y.numpy()[order], kind="stable")]
    fold = np.empty(len(x), np.int64)
    fold[order] = np.arange(len(x)) % FOLDS
    outputs = torch.empty(len(x), attribute.width)
    for number in range(FOLDS):
        inside = torch.from_numpy(fold == number)
        if not inside.any():
            continue
        rows = ~inside
        heads = trained(x[rows].numpy(), y[rows].numpy(), attribute, prior)
        with torch.no_grad():
            outputs[inside] = heads.raw(heads.standardise(x[inside])).mean(dim=0)
    return outputs if attribute.discrete else outputs[:, 0]


def _prior_shift(
    classes: NDArray[np.int64], random: NDArray[np.bool_], width: int
) -> tuple[Tensor, NDArray[np.float64]]:
    """What turns log-odds among the labels to those under the prior (C,), and the shares there.

    The labels have each class as often as they were chosen, plain draws as often as it is.
    """
    among = (np.bincount(classes, minlength=width) + 0.5) / (len(classes) + 0.5 * width)
    drawn = (np.bincount(classes[random], minlength=width) + 0.5) / (random.sum() + 0.5 * width)
    return torch.from_numpy(np.log(drawn / among)).float(), drawn


def accuracy(decided: NDArray[np.int64], classes: NDArray[np.int64], width: int) -> dict[str, Any]:
    """Return the balanced accuracy of N held-out decisions with an interval of 95 %.

    The interval is that of the mean of the classes' recalls, each with Jeffreys's posterior
    Beta(hits + 1/2, misses + 1/2).
    """
    rng = np.random.default_rng(np.random.Philox(key=0))
    recalls, draws = [], []
    for number in range(width):
        inside = classes == number
        if inside.any():
            hits, count = int((decided[inside] == number).sum()), int(inside.sum())
            recalls.append(hits / count)
            draws.append(rng.beta(hits + 0.5, count - hits + 0.5, _DRAWS))
    low, high = np.quantile(np.mean(draws, axis=0), [0.025, 0.975])
    mean = math.fsum(recalls) / len(recalls)
    return {
        "balanced_accuracy": mean,
        "low": min(float(low), mean),
        "high": max(float(high), mean),
    }
