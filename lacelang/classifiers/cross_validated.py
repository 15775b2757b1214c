"""Classifiers from few labels: all of them are trained on, cross-validation takes the place of
held-out rows."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from attrs import evolve
from torch import Tensor

from lacelang.classifiers import calibration, linear
from lacelang.classifiers.calibration import FEWEST_SCORED, score
from lacelang.classifiers.classifier import Heads
from lacelang.classifiers.labels import Examples
from lacelang.classifiers.training import (
    Progress,
    Recipe,
    Targets,
    Term,
    TrainResult,
    fit,
    scales,
)
from lacelang.errors import UsageError
from lacelang.ir import Attribute

#: Below so many labels of every attribute, `lacelang train` fits linear classifiers. See
#: docs/few_labels.md.
FEW = 1000
FEWEST = 10
#: Below so many, or so many of a class, figures are rough, and a warning says so.
ROUGH = 50
_ROUGH_CLASS = 5

LINEAR = "linear"

MakeTerm = Callable[[], Term]


def has_few(examples: Examples, attributes: Sequence[Attribute]) -> bool:
    """Whether no attribute has `FEW` labels."""
    return all((~np.isnan(examples.columns[a.name])).sum() < FEW for a in attributes)


def train(
    examples: Examples,
    attributes: Sequence[Attribute],
    *,
    recipe: Recipe | None = None,
    term: MakeTerm | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> TrainResult:
    """Train on all rows. Calibration and figures come from `linear.FOLDS`-fold cross-validation.

    Each labelled row is predicted by a classifier that was trained without its fold. The final
    classifiers see all rows, so that the figures are a little pessimistic. Calibration is fitted on
    prior draws if enough of them have a label, otherwise on all rows.

    Args:
        recipe: trains a network for each attribute; None fits linear classifiers.
        term: makes what is added to a network's loss, anew for each training.
        progress: called with (attributes done, attributes), or (folds done, folds) of networks.

    Raises:
        UsageError: the labels do not fit the attributes, contradict each other, are all of one
            class, or are too few.
    """
    began = time.perf_counter()
    examples.check(attributes)
    warnings = _warnings(examples, attributes)
    if recipe is None:
        heads, crossed = _linear(examples, attributes, seed, progress)
    else:
        heads, crossed = _networks(examples, attributes, recipe, term, seed, progress)
    report: dict[str, Any] = {
        "recipe": LINEAR if recipe is None else recipe.name,
        "heads": heads.arrangement,
        "members": 1,
        "epochs": 0 if recipe is None else recipe.epochs,
        "seed": seed,
        "folds": linear.FOLDS,
        "rows": {
            "training": {
                "prior": int((~examples.conditioned).sum()),
                "conditioned": int(examples.conditioned.sum()),
            },
            "held_out": {"prior": 0, "conditioned": 0},
        },
        "attributes": {
            a.name: calibrate(heads, a, crossed[:, heads.columns[a.name]], examples)
            for a in heads.attributes
        },
        "warnings": warnings,
    }
    return TrainResult(heads, report, time.perf_counter() - began)


def few_of(examples: Examples, count: int, seed: int) -> tuple[Examples, Examples]:
    """Split into `count` random prior rows, and all other rows; a UsageError if there are fewer."""
    prior = np.flatnonzero(~examples.conditioned)
    if not 1 <= count < len(prior):
        raise UsageError(f"cannot take {count} of {len(prior)} labelled prior draws and leave some")
    rng = np.random.default_rng(np.random.Philox(key=seed))
    kept = np.sort(rng.permutation(prior)[:count])
    return examples.take(kept), examples.take(np.setdiff1d(np.arange(len(examples)), kept))


def scored_elsewhere(result: TrainResult, others: Examples) -> TrainResult:
    """The result with figures of other labelled rows, in place of those of cross-validation."""
    report = dict(result.report)
    with torch.no_grad():
        w = torch.from_numpy(others.w)
        outputs, raw = result.heads(w), result.heads.raw(result.heads.standardise(w)).mean(dim=0)
    prior = torch.from_numpy(~others.conditioned)
    attributes = {}
    for a in result.heads.attributes:
        labels = torch.from_numpy(others.columns[a.name])
        figures = {k: v for k, v in report["attributes"][a.name].items() if k != "conditioned"}
        for name, rows in (("prior", prior), ("conditioned", ~prior)):
            rows = rows & ~labels.isnan()
            if rows.sum() >= FEWEST_SCORED:
                figures[name] = score(a, outputs[a.name][rows], labels[rows])
                if name == "prior" and a.discrete:
                    plain = raw[rows][:, result.heads.columns[a.name]]
                    figures["prior_uncalibrated"] = score(a, plain, labels[rows])
        attributes[a.name] = figures
    held = {"prior": int(prior.sum()), "conditioned": int((~prior).sum())}
    rows_of = {**report["rows"], "held_out": held}
    return evolve(result, report={**report, "attributes": attributes, "rows": rows_of})


def _linear(
    examples: Examples, attributes: Sequence[Attribute], seed: int, progress: Progress | None
) -> tuple[Heads, Tensor]:
    """Fit every attribute; return the heads, frozen, and crossed outputs (N, columns)."""
    heads = Heads(attributes, inputs=examples.w.shape[1], hidden=())
    w = torch.from_numpy(examples.w)
    heads.mean.copy_(w.mean(dim=0))
    # One scale for all of w: see `linear`.
    heads.std.fill_(float(w.var(dim=0).mean().sqrt().clamp(min=1e-6)))
    x = heads.standardise(w)
    crossed = torch.full((len(w), len(heads.gain)), torch.nan)
    with torch.no_grad():
        for k, a in enumerate(heads.attributes):
            labels = torch.from_numpy(examples.columns[a.name])
            seen, at = ~labels.isnan(), heads.columns[a.name]
            with torch.enable_grad():
                found = linear.fit(x[seen], labels[seen], a.width if a.discrete else 0, seed)
            heads.weights[0][0, at] = found.weight.half().float()
            heads.biases[0][0, 0, at] = found.bias.half().float()
            crossed[seen, at] = found.crossed.float()
            if progress is not None:
                progress(k + 1, len(attributes))
    return heads.freeze(), crossed


def _networks(
    examples: Examples,
    attributes: Sequence[Attribute],
    recipe: Recipe,
    term: MakeTerm | None,
    seed: int,
    progress: Progress | None,
) -> tuple[Heads, Tensor]:
    """Train a network for every attribute, once for each fold and once on all rows."""
    count = len(examples)
    by_attribute = scales(attributes, examples.columns, by_range=not recipe.standardise)

    def trained(rows: np.ndarray[Any, Any]) -> Heads:
        part = examples.take(rows)
        heads = Heads(
            attributes, arrangement="separate", inputs=examples.w.shape[1], hidden=recipe.hidden
        )
        targets = Targets(heads.attributes, heads.columns, part.columns, by_attribute)
        own = None if term is None else term()
        w = torch.from_numpy(part.w)
        fit(heads, w, targets, recipe, seed, None, own)
        return heads.round_and_freeze()

    # Folds are those of the first attribute: an attribute of its own would need its own networks.
    first = attributes[0]
    labels = torch.from_numpy(np.nan_to_num(examples.columns[first.name], nan=-1.0))
    place = linear.folds(labels, seed, first.discrete)
    crossed: Tensor | None = None
    for fold in range(linear.FOLDS):
        out = place == fold
        heads = trained(np.flatnonzero(~out))
        raw = heads.raw(heads.standardise(torch.from_numpy(examples.w[out]))).mean(dim=0)
        crossed = raw.new_zeros(count, raw.shape[1]) if crossed is None else crossed
        crossed[torch.from_numpy(out)] = raw
        if progress is not None:
            progress(fold + 1, linear.FOLDS + 1)
    assert crossed is not None
    heads = trained(np.arange(count))
    for name, (scale, offset) in by_attribute.items():
        # From here on in the attribute's own unit, as linear classifiers are.
        at = heads.columns[name]
        crossed[:, at] = crossed[:, at] * scale + offset
        heads.gain[at], heads.shift[at] = scale, offset
    if progress is not None:
        progress(linear.FOLDS + 1, linear.FOLDS + 1)
    return heads, crossed


def calibrate(heads: Heads, a: Attribute, crossed: Tensor, examples: Examples) -> dict[str, Any]:
    """Calibrate a head by crossed outputs (N, C), and score them, calibrated by the other half."""
    outputs = crossed if a.discrete else crossed[:, 0]
    labels = torch.from_numpy(examples.columns[a.name])
    seen, prior = ~labels.isnan(), torch.from_numpy(~examples.conditioned)
    usual = seen & prior if (seen & prior).sum() >= calibration.FEWEST_CALIBRATED else seen
    final = calibration.fit(outputs[usual], labels[usual])
    at = heads.columns[a.name]
    heads.gain[at], heads.shift[at] = (
        heads.gain[at] * final.gain,
        heads.shift[at] * final.gain + final.shift,
    )
    figures: dict[str, Any] = {"kind": a.kind, "unit": a.unit}
    if a.discrete:
        figures |= {"temperature": 1.0 / final.gain, "bias": final.shift.tolist()}
    else:
        # Left-out rows all of one value have no residual.
        sigma = max(calibration.residual(final(outputs[usual]), labels[usual]), 1e-6)
        heads.sigma[a.name] = sigma
        figures |= {"slope": final.gain, "sigma": sigma}
    halves = calibration.cross_fitted(outputs[usual], labels[usual])
    figures["prior"] = score(a, halves, labels[usual])
    figures["prior_uncalibrated"] = score(a, outputs[usual], labels[usual])
    rest = seen & ~usual
    if rest.sum() >= FEWEST_SCORED:
        figures["conditioned"] = score(a, final(outputs[rest]), labels[rest])
    return figures


def _warnings(examples: Examples, attributes: Sequence[Attribute]) -> list[str]:
    """Say what is thin about the labels; a UsageError if they are too few."""
    found = []
    for a in attributes:
        column = examples.columns[a.name]
        seen = column[~np.isnan(column)]
        if len(seen) < FEWEST:
            raise UsageError(
                f"{a.name}: {len(seen)} labels; training needs {FEWEST}, and 50 to be of use"
            )
        counts = {v: int((seen == k).sum()) for k, v in enumerate(a.values)} if a.discrete else {}
        absent = [value for value, count in counts.items() if count == 0]
        thin = [f"{count} of {v}" for v, count in counts.items() if 0 < count < _ROUGH_CLASS]
        if absent:
            found.append(
                f"{a.name}: no label of {', '.join(absent)}; conditions that ask for it will "
                "not be met"
            )
        if len(seen) < ROUGH:
            found.append(f"{a.name}: only {len(seen)} labels; its figures are rough")
        if thin:
            found.append(f"{a.name}: only {', '.join(thin)} among the labels; label more of these")
    return found
