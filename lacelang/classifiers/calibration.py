"""Calibration on held-out prior draws: probabilities, values and spreads.

The energies add probabilities up, so a head that is right nine times in ten must say 0.9.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, TypeAlias

import torch
from attrs import frozen
from torch import Tensor
from torch.nn import functional as F

from lacelang.classifiers.classifier import Heads
from lacelang.classifiers.labels import Examples
from lacelang.errors import UsageError
from lacelang.ir import Attribute

Figures: TypeAlias = dict[str, Any]
#: (scale, offset) such that value = output * scale + offset.
Scale: TypeAlias = tuple[float, float]

BINS = 15
FEWEST_CALIBRATED = 10
FEWEST_SCORED = 2


@frozen(eq=False)
class Calibration:
    """Turns raw outputs o, (N, C) logits or (N,) values, into o * gain + shift.

    `shift` is (C,) of logits, (1,) of values.
    """

    gain: float
    shift: Tensor

    def __call__(self, raw: Tensor) -> Tensor:
        """Calibrate outputs."""
        return raw * self.gain + self.shift


def calibrate_and_score(
    heads: Heads, held_out: Examples, scales: Mapping[str, Scale], calibrate: bool
) -> dict[str, Figures]:
    """Set gain, shift and sigma of trained heads from held-out rows, and score them there.

    The heads get a calibration fitted on all held-out prior rows. Figures of these rows come from
    one fitted on the other half of them. `scales` are those of `training.scales`.

    Returns, by attribute, its kind, its calibration, and figures on `prior` and `conditioned` rows.

    Raises:
        UsageError: an attribute has too few labels on held-out prior draws.
    """
    with torch.no_grad():
        raw = heads.raw(heads.standardise(torch.from_numpy(held_out.w))).mean(dim=0)
    prior = torch.from_numpy(~held_out.conditioned)
    report = {}
    for attribute in heads.attributes:
        at = heads.columns[attribute.name]
        outputs = raw[:, at] if attribute.discrete else raw[:, at.start]
        labels = torch.from_numpy(held_out.columns[attribute.name])
        usual, thin = (rows & ~labels.isnan() for rows in (prior, ~prior))
        x, y = outputs[usual], labels[usual]
        if len(y) < FEWEST_CALIBRATED:
            raise UsageError(
                f"{attribute.name}: {len(y)} held-out prior draws have a label; "
                f"calibration needs {FEWEST_CALIBRATED}"
            )
        scale, offset = scales.get(attribute.name, (1.0, 0.0))
        plain = Calibration(scale, torch.full((attribute.width,), offset))
        final = fit(x, y) if calibrate else plain
        heads.gain[at] = final.gain
        heads.shift[at] = final.shift
        crossed = cross_fitted(x, y) if calibrate else plain(x)
        figures: Figures = {"kind": attribute.kind, "unit": attribute.unit}
        if attribute.discrete:
            figures |= {"temperature": 1.0 / final.gain, "bias": final.shift.tolist()}
        else:
            sigma = residual(final(x), y)
            heads.sigma[attribute.name] = sigma
            figures |= {"slope": final.gain / scale, "sigma": sigma}
        figures["prior"] = score(attribute, crossed, y)
        figures["prior_uncalibrated"] = score(attribute, plain(x), y)
        if thin.sum() >= FEWEST_SCORED:
            figures["conditioned"] = score(attribute, final(outputs[thin]), labels[thin])
        report[attribute.name] = figures
    return report


def fit(outputs: Tensor, labels: Tensor) -> Calibration:
    """Calibrate logits (N, C) by classes (N,), or values (N,) by values."""
    if outputs.ndim > 1:
        return fit_discrete(outputs, labels.long())
    return fit_continuous(outputs, labels)


def fit_discrete(logits: Tensor, classes: Tensor) -> Calibration:
    """Fit a temperature and a bias for each class to logits (N, C) by maximum a posteriori.

    Standard normal priors on the logarithm of the temperature and on each bias keep them finite
    where a head makes no mistake or a class never occurs. (Guo et al. 2017, temperature and
    bias-corrected scaling.)
    """
    logits = logits.detach().double()
    log_gain = torch.zeros((), dtype=torch.float64, requires_grad=True)
    shift = torch.zeros(logits.shape[1], dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS(
        [log_gain, shift], max_iter=200, tolerance_grad=1e-9, line_search_fn="strong_wolfe"
    )

    def loss() -> Tensor:
        optimiser.zero_grad()
        nll = F.cross_entropy(logits * log_gain.exp() + shift, classes, reduction="sum")
        penalised = nll + 0.5 * (log_gain**2 + (shift**2).sum())
        penalised.backward()  # type: ignore[no-untyped-call]
        return penalised

    optimiser.step(loss)  # type: ignore[no-untyped-call]
    return Calibration(float(log_gain.detach().exp()), shift.detach().float())


def fit_continuous(outputs: Tensor, values: Tensor) -> Calibration:
    """Fit slope and offset by least squares; a constant output gets slope 1."""
    x, y = outputs.detach().double(), values.double()
    spread = ((x - x.mean()) ** 2).mean()
    slope = float(((x - x.mean()) * (y - y.mean())).mean() / spread) if spread > 0 else 1.0
    return Calibration(slope, (y.mean() - slope * x.mean()).reshape(1).float())


def cross_fitted(outputs: Tensor, labels: Tensor) -> Tensor:
    """Calibrate each half of the rows by the other half."""
    result = torch.empty_like(outputs)
    for half in (0, 1):
        other = fit(outputs[1 - half :: 2], labels[1 - half :: 2])
        result[half::2] = other(outputs[half::2])
    return result


def residual(outputs: Tensor, values: Tensor) -> float:
    """Return sigma: the root mean square of value - output, in the attribute's unit."""
    return math.sqrt(float(((values.double() - outputs.double()) ** 2).mean()))


def score(attribute: Attribute, outputs: Tensor, labels: Tensor) -> Figures:
    """Compare outputs, logits (N, C) or values (N,), with labels (N,), none missing.

    Balanced accuracy is the mean recall of the classes that occur (recall is None of one that does
    not), nll is in nats, mae and rmse in the attribute's unit.
    """
    if attribute.discrete:
        classes = labels.long()
        right = (outputs.argmax(dim=1) == classes).double()
        recall = {
            value: float(right[classes == k].mean()) if (classes == k).any() else None
            for k, value in enumerate(attribute.values)
        }
        met = [share for share in recall.values() if share is not None]
        return {
            "rows": len(labels),
            "accuracy": float(right.mean()),
            "balanced_accuracy": sum(met) / len(met),
            "recall": recall,
            "nll": float(F.cross_entropy(outputs.double(), classes)),
            "ece": expected_calibration_error(outputs, classes),
        }
    rmse, spread = residual(outputs, labels), float(labels.double().var(correction=0))
    return {
        "rows": len(labels),
        "r2": 1.0 - rmse**2 / spread if spread > 0 else 0.0,
        "mae": float((outputs.double() - labels.double()).abs().mean()),
        "rmse": rmse,
    }


def expected_calibration_error(logits: Tensor, classes: Tensor) -> float:
    """Mean gap of confidence and accuracy over `BINS` equal bins (Guo et al. 2017, eq. 3)."""
    confidence, winner = logits.double().softmax(dim=1).max(dim=1)
    right = (winner == classes).double()
    place = (confidence * BINS).long().clamp_(max=BINS - 1)
    gap = torch.zeros(BINS, dtype=torch.float64).index_add_(0, place, right - confidence)
    return float(gap.abs().sum() / len(classes))
