"""Calibrate classifiers on held-out prior draws; score them there and where the prior is thin."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from attrs import frozen
from torch import Tensor
from torch.nn import functional as F

from lacelang.classifiers.calibration import (
    Calibration,
    expected_calibration_error,
    fit_continuous,
    fit_discrete,
    residual,
)
from lacelang.classifiers.classifier import Heads
from lacelang.classifiers.examples import Examples
from lacelang.classifiers.losses import Scale
from lacelang.classifiers.schema import Attribute
from lacelang.errors import UsageError

Figures = dict[str, Any]

FEWEST_CALIBRATED = 10
FEWEST_SCORED = 2


def calibrate_and_score(
    heads: Heads, held_out: Examples, scales: Mapping[str, Scale], calibrate: bool
) -> dict[str, Figures]:
    """Set gain, shift and sigma of the heads from held-out rows, and say how good they are.

    The figures of calibrated outputs come from a calibration fitted on the other half of the
    held-out prior rows; the heads get one fitted on all of them.

    Args:
        heads: trained; changed in place.
        held_out: rows that training did not see.
        scales: by continuous attribute, (scale, offset) of an uncalibrated output.
        calibrate: if false, the outputs stay as they are and only sigma is measured.

    Returns:
        By attribute: its kind, its calibration, and figures on `prior` and `conditioned` rows.

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
        usual = _Seen.of(outputs, labels, prior)
        if len(usual.labels) < FEWEST_CALIBRATED:
            raise UsageError(
                f"{attribute.name}: {len(usual.labels)} held-out prior draws have a label; "
                f"calibration needs {FEWEST_CALIBRATED}"
            )
        scale, offset = scales.get(attribute.name, (1.0, 0.0))
        plain = Calibration(scale, torch.full((attribute.width,), offset))
        final = _fit(attribute, usual) if calibrate else plain
        heads.gain[at] = final.gain
        heads.shift[at] = final.shift
        crossed = _cross_fitted(attribute, usual) if calibrate else plain(usual.outputs)
        figures: Figures = {"kind": attribute.kind, "unit": attribute.unit}
        if attribute.discrete:
            figures |= {"temperature": 1.0 / final.gain, "bias": final.shift.tolist()}
        else:
            sigma = residual(final(usual.outputs), usual.labels)
            heads.sigma[attribute.name] = sigma
            figures |= {"slope": final.gain / scale, "sigma": sigma}
        figures["prior"] = score(attribute, crossed, usual.labels)
        figures["prior_uncalibrated"] = score(attribute, plain(usual.outputs), usual.labels)
        thin = _Seen.of(outputs, labels, ~prior)
        if len(thin.labels) >= FEWEST_SCORED:
            figures["conditioned"] = score(attribute, final(thin.outputs), thin.labels)
        report[attribute.name] = figures
    return report


def score(attribute: Attribute, outputs: Tensor, labels: Tensor) -> Figures:
    """Compare outputs with labels.

    Args:
        attribute: what they mean.
        outputs: logits (N, C), or (N,) in the attribute's unit.
        labels: (N,), none missing.

    Returns:
        Of a discrete attribute: rows, accuracy, balanced_accuracy (mean recall of the classes that
        occur), recall (None for a class that does not), nll in nats, ece. Of a continuous one:
        rows, r2, mae, rmse, the last two in its unit.
    """
    if attribute.discrete:
        classes = labels.long()
        right = outputs.argmax(dim=1) == classes
        recall = {
            value: float(right[classes == k].double().mean()) if (classes == k).any() else None
            for k, value in enumerate(attribute.values)
        }
        met = [share for share in recall.values() if share is not None]
        return {
            "rows": len(labels),
            "accuracy": float(right.double().mean()),
            "balanced_accuracy": sum(met) / len(met),
            "recall": recall,
            "nll": float(F.cross_entropy(outputs.double(), classes)),
            "ece": expected_calibration_error(outputs, classes),
        }
    error = outputs.double() - labels.double()
    spread = float(labels.double().var(correction=0))
    return {
        "rows": len(labels),
        "r2": 1.0 - float((error**2).mean()) / spread if spread > 0 else 0.0,
        "mae": float(error.abs().mean()),
        "rmse": math.sqrt(float((error**2).mean())),
    }


@frozen(eq=False)
class _Seen:
    """Uncalibrated outputs of one head on the rows that have a label."""

    outputs: Tensor
    labels: Tensor

    @classmethod
    def of(cls, outputs: Tensor, labels: Tensor, rows: Tensor) -> _Seen:
        seen = rows & ~labels.isnan()
        return cls(outputs[seen], labels[seen])


def _fit(attribute: Attribute, seen: _Seen) -> Calibration:
    if attribute.discrete:
        return fit_discrete(seen.outputs, seen.labels.long())
    return fit_continuous(seen.outputs, seen.labels)


def _cross_fitted(attribute: Attribute, seen: _Seen) -> Tensor:
    """Calibrate each half of the rows by the other half."""
    result = torch.empty_like(seen.outputs)
    for half in (0, 1):
        other = _Seen(seen.outputs[1 - half :: 2], seen.labels[1 - half :: 2])
        result[half::2] = _fit(attribute, other)(seen.outputs[half::2])
    return result
