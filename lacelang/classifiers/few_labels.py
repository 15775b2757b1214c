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
#: Most strata of outputs for a class, and the labels in one.
_STRATA = 8
_IN_STRATUM = 10
#: Steps that match the shares of classes; each brings them nearer.
_MATCHING = 200
#: Random labels from which shares of classes are estimated; fewer say too little.
FEWEST_RANDOM = 20


@frozen(eq=False)
class Prior:
    """Draws (M, d) of the classifier's input from the prior, their means and deviations (d,)."""

    draws: Tensor
    mean: Tensor
    std: Tensor

    @classmethod
    def of(cls, w: Floats) -> Prior:
        """Take draws (M, d)."""
        x = torch.from_numpy(w)
        return cls(x, x.mean(dim=0), x.std(dim=0).clamp(min=1e-6))


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

    Figures come from outputs for rows that were held out. They are of the labelled rows; where
    those were chosen to be hard, the accuracy on draws from the prior is higher. The biases are
    such that the classes have their shares under the prior, whatever rows were labelled.

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
        shares = (np.bincount(classes[plain], minlength=attribute.width) + 0.5) / (
            plain.sum() + 0.5 * attribute.width
        )
        final = matched(heads, calibration.gain, torch.from_numpy(shares), prior.draws)
        level = torch.from_numpy(np.log(shares))
        balanced = (final(outputs).double() - level).numpy()
        weights = np.ones(len(w))
        if not plain.all():
            with torch.no_grad():
                raw = heads.raw(heads.standardise(prior.draws)).mean(dim=0)
            weights = like_the_prior(balanced, (final(raw).double() - level).numpy())
        figures |= {
            "counts": _by_class(attribute, np.bincount(classes, minlength=attribute.width)),
            "shares": _by_class(attribute, shares),
            "random": int(plain.sum()),
            "temperature": 1.0 / calibration.gain,
            **accuracy(balanced.argmax(axis=1), classes, attribute.width, weights),
        }
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


def matched(heads: Heads, gain: float, shares: Tensor, draws: Tensor) -> Calibration:
    """Return the biases with which the classes have their shares (C,) among draws (M, d)."""
    with torch.no_grad():
        raw = heads.raw(heads.standardise(draws)).mean(dim=0).double() * gain
    shift = shares.log()
    for _ in range(_MATCHING):
        shift = shift + (shares / (raw + shift).softmax(dim=1).mean(dim=0)).log()
    return Calibration(gain, (shift - shift.mean()).float())


def _by_class(attribute: Attribute, values: NDArray[Any]) -> dict[str, Any]:
    return dict(zip(attribute.values, values.tolist(), strict=True))


def like_the_prior(
    labelled: NDArray[np.float64], drawn: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return weights (N,) with which labelled rows stand for draws from the prior.

    Rows were chosen by what a classifier said of them. Among those of which it says about the same
    they are plain draws; so rows count by how often the prior has such outputs (post-stratification
    by the likeliest class and its lead). `labelled` are held-out log-odds (N, C), `drawn` those of
    draws (M, C).
    """
    weights = np.zeros(len(labelled))
    strata = [(each.argmax(axis=1), _lead(each)) for each in (labelled, drawn)]
    (label_class, label_lead), (draw_class, draw_lead) = strata
    for number in range(labelled.shape[1]):
        rows, draws = label_class == number, draw_class == number
        if not rows.any():
            continue
        count = int(rows.sum())
        inner = np.linspace(0, 1, max(1, min(_STRATA, count // _IN_STRATUM)) + 1)[1:-1]
        ends = np.quantile(label_lead[rows], inner)
        row_bin, draw_bin = (np.digitize(x, ends) for x in (label_lead[rows], draw_lead[draws]))
        wanted, had = (np.bincount(x, minlength=len(ends) + 1) for x in (draw_bin, row_bin))
        weights[rows] = (wanted / np.maximum(had, 1))[row_bin]
    # A stratum that no draw is in still counts a little.
    weights = np.maximum(weights, 1e-3 * weights.max())
    scaled: NDArray[np.float64] = weights * len(weights) / weights.sum()
    return scaled


def _lead(outputs: NDArray[np.float64]) -> NDArray[np.float64]:
    ranked = np.sort(outputs, axis=1)
    lead: NDArray[np.float64] = ranked[:, -1] - ranked[:, -2]
    return lead


def accuracy(
    decided: NDArray[np.int64],
    classes: NDArray[np.int64],
    width: int,
    weights: NDArray[np.float64],
) -> dict[str, Any]:
    """Return the balanced accuracy of N held-out decisions with an interval of 95 %.

    The interval is that of the mean of the classes' recalls, each with Jeffreys's posterior
    Beta(hits + 1/2, misses + 1/2), of as many rows as weighted ones are worth.
    """
    rng = np.random.default_rng(np.random.Philox(key=0))
    recalls, draws = [], []
    for number in range(width):
        inside = classes == number
        if inside.any():
            own = weights[inside]
            share = float(own[decided[inside] == number].sum() / own.sum())
            count = own.sum() ** 2 / np.square(own).sum()
            recalls.append(share)
            hits, misses = share * count, max(0.0, (1 - share) * count)
            draws.append(rng.beta(hits + 0.5, misses + 0.5, _DRAWS))
    low, high = np.quantile(np.mean(draws, axis=0), [0.025, 0.975])
    mean = math.fsum(recalls) / len(recalls)
    return {
        "balanced_accuracy": mean,
        "low": min(float(low), mean),
        "high": max(float(high), mean),
    }
