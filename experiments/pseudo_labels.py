"""Self-training: linear classifiers that also learn from their own confident predictions.

Latents without labels are predicted; those of which the classifier is sure count as labelled, and
all rows are fitted again with the same penalty (Lee 2013, pseudo-labels). This is done for each
fold of the cross-validation, so that calibration and figures are of rows that were left out.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from lacelang.classifiers import cross_validated, linear
from lacelang.classifiers.classifier import Heads
from lacelang.classifiers.labels import Examples, Floats
from lacelang.classifiers.training import TrainResult
from lacelang.ir import Attribute

#: The probability from which a prediction counts as a label.
SURE = 0.9
#: Weight of all pseudo-labels together, in those of the labels.
SHARE = 1.0


def train(
    examples: Examples, attributes: Sequence[Attribute], unlabelled: Floats, *, seed: int = 0
) -> TrainResult:
    """Train discrete attributes on labelled rows and on latents (M, d) without labels."""
    plain = cross_validated.train(examples, attributes, seed=seed)
    heads = Heads(attributes, inputs=examples.w.shape[1], hidden=())
    heads.mean.copy_(plain.heads.mean)
    heads.std.copy_(plain.heads.std)
    x, more = (heads.standardise(torch.from_numpy(w)) for w in (examples.w, unlabelled))
    figures = {}
    for a in heads.attributes:
        labels = torch.from_numpy(examples.columns[a.name])
        seen, at = ~labels.isnan(), heads.columns[a.name]
        rows, y = x[seen], labels[seen]
        place = torch.from_numpy(linear.folds(y, seed, True))
        crossed = torch.full((len(x), a.width), torch.nan)
        outputs = torch.empty(len(y), a.width)
        for fold in range(linear.FOLDS):
            found = _self_trained(rows[place != fold], y[place != fold], a, more, seed)
            outputs[place == fold] = (
                rows[place == fold] @ found.weight.T.float()
            ) + found.bias.float()
        crossed[seen] = outputs
        final = _self_trained(rows, y, a, more, seed)
        with torch.no_grad():
            heads.weights[0][0, at] = final.weight.half().float()
            heads.biases[0][0, 0, at] = final.bias.half().float()
        figures[a.name] = cross_validated.calibrate(heads, a, crossed, examples)
    report = {**plain.report, "recipe": "pseudo-labels", "attributes": figures}
    return TrainResult(heads.freeze(), report, plain.seconds)


def _self_trained(x: Tensor, y: Tensor, a: Attribute, more: Tensor, seed: int) -> linear.Linear:
    if len(np.unique(y)) < 2:
        # A fold without a rare class: nothing to be sure of.
        return linear.refit(x, y, a.width, 1.0, torch.ones(len(y)))
    base = linear.fit(x, y, a.width, seed)
    shares = (more.double() @ base.weight.T + base.bias).softmax(dim=1)
    sure, classes = shares.max(dim=1)
    chosen = sure >= SURE
    if not chosen.any():
        return linear.refit(x, y, a.width, base.penalty, torch.ones(len(y)))
    each = SHARE * len(y) / int(chosen.sum())
    return linear.refit(
        torch.cat([x, more[chosen]]),
        torch.cat([y.long(), classes[chosen]]),
        a.width,
        base.penalty,
        torch.cat([torch.ones(len(y)), torch.full((int(chosen.sum()),), each)]),
    )
