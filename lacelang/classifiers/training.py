"""Train latent classifiers from labelled latents; calibrate and score them on held-out rows."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import torch
from attrs import evolve, frozen
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from lacelang.classifiers.calibration import Scale, calibrate_and_score
from lacelang.classifiers.classifier import Arrangement, Heads
from lacelang.classifiers.labels import Examples, split
from lacelang.errors import UsageError
from lacelang.ir import Attribute

HELD_OUT = 0.15
FEWEST_HELD_OUT = 20
_MISSING = -100

Progress = Callable[[int, int], None]
Term = Callable[[Heads], Tensor]
Columns = Mapping[str, NDArray[np.float32]]


@frozen
class Recipe:
    """Settings of one training run.

    Attributes:
        standardise: whether the networks see (w - mean) / std, or w as it is.
        calibrate: whether outputs are calibrated on held-out prior rows.
        dropout: share of the hidden units dropped after each hidden layer.
        jitter: standard deviation of the noise on the input, in standard deviations of w.
        decay: `staircase` divides the rate by ten after half and after three quarters of the
            epochs; `cosine` takes it smoothly to zero.
        members: networks to average.
        batch: rows in a step.
    """

    name: str
    standardise: bool = True
    calibrate: bool = True
    dropout: float = 0.0
    jitter: float = 0.0
    learning_rate: float = 1e-3
    decay: Literal["staircase", "cosine"] = "cosine"
    weight_decay: float = 0.0
    members: int = 1
    epochs: int = 100
    batch: int = 128

    def rate(self, progress: float) -> float:
        """Return the learning rate after the given share (0..1) of the epochs."""
        if self.decay == "cosine":
            return self.learning_rate * 0.5 * (1.0 + math.cos(math.pi * progress))
        return self.learning_rate * (1.0 if progress < 0.5 else 0.1 if progress < 0.75 else 0.01)


PAPER = Recipe("paper", standardise=False, calibrate=False, decay="staircase")
"""LACE sec. 4: Adam, 100 epochs, staircase decay, nothing to keep the networks from overfitting."""

REGULARISED = Recipe("regularised", dropout=0.3, jitter=0.6, weight_decay=0.1)
"""The default."""


def recipe_named(name: str, *, epochs: int | None = None) -> Recipe:
    """The recipe of that name, with another number of epochs if one is given, or a UsageError."""
    recipes = {recipe.name: recipe for recipe in (REGULARISED, PAPER)}
    if name not in recipes:
        raise UsageError(f"no recipe {name!r}; there are {', '.join(recipes)}")
    if epochs is not None and epochs < 1:
        raise UsageError("training needs at least one epoch")
    return recipes[name] if epochs is None else evolve(recipes[name], epochs=epochs)


@frozen(eq=False)
class TrainResult:
    """Frozen heads, a report (JSON values: recipe, rows, held-out figures), and the time taken."""

    heads: Heads
    report: dict[str, Any]
    seconds: float


def train(
    examples: Examples,
    attributes: Sequence[Attribute],
    *,
    recipe: Recipe | str = "regularised",
    heads: Arrangement = "single",
    seed: int = 0,
    epochs: int | None = None,
    progress: Progress | None = None,
    term: Term | None = None,
) -> TrainResult:
    """Train one classifier for each attribute; the same seed gives the same weights on a machine.

    A seventh of the rows is held out of training. The heads are calibrated on those of them that
    are prior draws, so that probabilities hold under the generator's own distribution; rows drawn
    where the prior is thin are scored apart. A missing label (NaN) is skipped.

    Args:
        heads: one trunk with a head for each attribute, or an MLP for each.
        epochs: instead of the recipe's.
        progress: called with (epochs done, epochs) after each epoch.
        term: added to the loss of every step, a number of the heads as they are then.

    Raises:
        UsageError: the labels do not fit the attributes, or are too few.
    """
    began = time.perf_counter()
    settings = recipe_named(recipe, epochs=epochs) if isinstance(recipe, str) else recipe
    examples.check(attributes)
    parts = [examples.take(rows) for rows in split(examples, HELD_OUT, seed)]
    for_training, held_out = parts
    if (~held_out.conditioned).sum() < FEWEST_HELD_OUT:
        raise UsageError(f"too few labelled prior draws to hold {FEWEST_HELD_OUT} of them out")

    classifier = Heads(
        attributes, arrangement=heads, members=settings.members, inputs=examples.w.shape[1]
    )
    targets = Targets(
        classifier.attributes,
        classifier.columns,
        for_training.columns,
        scales(attributes, for_training.columns, by_range=not settings.standardise),
    )
    fit(classifier, torch.from_numpy(for_training.w), targets, settings, seed, progress, term)
    with torch.no_grad():
        for tensor in (*classifier.weights, *classifier.biases):
            # What a saved file keeps, so that a loaded classifier is the same one.
            tensor.copy_(tensor.half().float())
    classifier.freeze()
    figures = calibrate_and_score(classifier, held_out, targets.scales, settings.calibrate)
    rows = [
        {"prior": int((~part.conditioned).sum()), "conditioned": int(part.conditioned.sum())}
        for part in parts
    ]
    report = {
        "recipe": settings.name,
        "heads": heads,
        "members": settings.members,
        "epochs": settings.epochs,
        "seed": seed,
        "rows": dict(zip(("training", "held_out"), rows, strict=True)),
        "attributes": figures,
    }
    return TrainResult(classifier, report, time.perf_counter() - began)


def fit(
    heads: Heads,
    w: Tensor,
    targets: Targets,
    recipe: Recipe,
    seed: int,
    progress: Progress | None = None,
    term: Term | None = None,
) -> None:
    """Run the recipe's epochs of Adam on the heads, in place, for w (N, inputs)."""
    random = torch.Generator().manual_seed(seed)
    heads.initialise(random)
    if recipe.standardise:
        heads.mean.copy_(w.mean(dim=0))
        heads.std.copy_(w.std(dim=0).clamp(min=1e-6))
    x = heads.standardise(w)
    optimiser = torch.optim.AdamW(
        [
            {"params": list(heads.weights), "weight_decay": recipe.weight_decay},
            {"params": list(heads.biases), "weight_decay": 0.0},
        ],
        fused=True,
    )
    batches = -(-len(x) // recipe.batch)
    for epoch in range(recipe.epochs):
        order = torch.randperm(len(x), generator=random)
        for step, rows in enumerate(torch.split(order, recipe.batch)):
            for group in optimiser.param_groups:
                group["lr"] = recipe.rate((epoch + step / batches) / recipe.epochs)
            optimiser.zero_grad()
            inputs = x[rows]
            if recipe.jitter:
                shape = (heads.weights[0].shape[0], *inputs.shape)
                inputs = inputs + recipe.jitter * torch.randn(shape, generator=random)
            raw = heads.raw(inputs, dropout=recipe.dropout, generator=random)
            loss = targets.loss(raw, rows)
            if term is not None:
                loss = loss + term(heads)
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        if progress is not None:
            progress(epoch + 1, recipe.epochs)


# The loss of all heads at once; a label that is missing asks for nothing


class Targets:
    """Labels of N rows in the form that the loss wants them.

    Heads with equally many classes are scored together, since a dozen small operations a step
    would cost as much as the networks. A value is its output * scale + offset.
    """

    def __init__(
        self,
        attributes: Sequence[Attribute],
        places: Mapping[str, slice],
        columns: Columns,
        scales: Mapping[str, Scale],
    ) -> None:
        self.scales = scales
        self.groups: list[tuple[Tensor, Tensor]] = []
        discrete = [a for a in attributes if a.discrete]
        for width in sorted({a.width for a in discrete}):
            alike = [a for a in discrete if a.width == width]
            outputs = [list(range(places[a.name].start, places[a.name].stop)) for a in alike]
            classes = np.stack([columns[a.name] for a in alike], axis=1)
            classes = np.where(np.isnan(classes), _MISSING, classes)
            self.groups.append((torch.tensor(outputs), torch.from_numpy(classes).long()))
        numbers = [a.name for a in attributes if not a.discrete]
        self.outputs = torch.tensor([places[name].start for name in numbers], dtype=torch.long)
        values = np.zeros((len(next(iter(columns.values()))), len(numbers)), np.float32)
        for k, name in enumerate(numbers):
            scale, offset = scales[name]
            values[:, k] = (columns[name] - offset) / scale
        self.seen = torch.from_numpy(~np.isnan(values))
        self.values = torch.from_numpy(np.nan_to_num(values))

    def loss(self, raw: Tensor, rows: Tensor) -> Tensor:
        """The sum over heads of their mean loss, added up over members, of raw outputs (members, n,
        columns).

        Cross-entropy of a discrete head, squared error of a continuous one (LACE sec. 4), each
        averaged over those of the rows (n,) that have its label.
        """
        total = raw.new_zeros(())
        for outputs, classes in self.groups:
            wanted = classes[rows].expand(len(raw), -1, -1)
            logits = raw[:, :, outputs].permute(0, 3, 1, 2)
            each = F.cross_entropy(logits, wanted, reduction="none", ignore_index=_MISSING)
            total = total + _mean_over_rows(each, wanted != _MISSING)
        seen = self.seen[rows].expand(len(raw), -1, -1)
        error = (raw[:, :, self.outputs] - self.values[rows]) ** 2
        return total + _mean_over_rows(error * seen, seen)


def scales(
    attributes: Sequence[Attribute], columns: Columns, *, by_range: bool
) -> dict[str, Scale]:
    """(scale, offset) that bring each continuous attribute to order one.

    `by_range` maps low..high to 0..1, as the paper does; else mean goes to 0 and deviation to 1.
    """
    found = {}
    for a in attributes:
        if not a.discrete:
            moments = float(np.nanstd(columns[a.name])), float(np.nanmean(columns[a.name]))
            found[a.name] = (a.high - a.low, a.low) if by_range else moments
    return found


def _mean_over_rows(each: Tensor, seen: Tensor) -> Tensor:
    return (each.sum(dim=1) / seen.sum(dim=1).clamp(min=1)).sum()
