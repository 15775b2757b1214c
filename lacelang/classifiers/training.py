"""Train latent classifiers from labelled latents; calibrate and score them on held-out rows."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import torch
from attrs import evolve, frozen
from torch import Tensor
from torch.nn import functional as F

from lacelang.classifiers.calibration import Scale, calibrate_and_score
from lacelang.classifiers.classifier import HIDDEN, Arrangement, Heads
from lacelang.classifiers.labels import Columns, Examples, split
from lacelang.errors import UsageError
from lacelang.ir import Attribute

HELD_OUT = 0.15
FEWEST_HELD_OUT = 20
MOST_MEMBERS = 32
_MISSING = -100

Progress = Callable[[int, int], None]
Term = Callable[[Heads], Tensor]


@frozen
class Recipe:
    """Settings of one training run."""

    name: str
    standardise: bool = True  # the networks see (w - mean) / std
    calibrate: bool = True  # on held-out prior rows
    dropout: float = 0.0  # share of the hidden units dropped after each hidden layer
    jitter: float = 0.0  # standard deviation of noise on the input, in those of w
    learning_rate: float = 1e-3
    # `staircase` divides the rate by ten after half and after three quarters of the epochs.
    decay: Literal["staircase", "cosine"] = "cosine"
    weight_decay: float = 0.0
    members: int = 1  # networks to average
    hidden: tuple[int, ...] = HIDDEN
    epochs: int = 100
    batch: int = 128

    def rate(self, progress: float) -> float:
        """Return the learning rate after the given share (0..1) of the epochs."""
        if self.decay == "cosine":
            return self.learning_rate * 0.5 * (1.0 + math.cos(math.pi * progress))
        return self.learning_rate * (1.0 if progress < 0.5 else 0.1 if progress < 0.75 else 0.01)


PAPER = Recipe("paper", standardise=False, calibrate=False, decay="staircase")
"""LACE sec. 4: Adam, 100 epochs, staircase decay, no regularisation."""

REGULARISED = Recipe("regularised", dropout=0.3, jitter=0.6, weight_decay=0.1)
"""The default."""


SMALL = evolve(REGULARISED, name="small", hidden=(64,), weight_decay=3.0, epochs=200, batch=1024)
"""A network for few labels: one hidden layer, more weight decay, all rows in each step."""


def recipe_named(name: str, *, epochs: int | None = None, members: int | None = None) -> Recipe:
    """The recipe of that name, with other numbers if they are given, or a UsageError."""
    recipes = {recipe.name: recipe for recipe in (REGULARISED, PAPER, SMALL)}
    if name not in recipes:
        raise UsageError(f"no recipe {name!r}; there are {', '.join(recipes)}")
    if epochs is not None and epochs < 1:
        raise UsageError("training needs at least one epoch")
    if members is not None and not 1 <= members <= MOST_MEMBERS:
        raise UsageError(f"an average is of 1 to {MOST_MEMBERS} networks, not of {members}")
    recipe = recipes[name]
    return evolve(recipe, epochs=epochs or recipe.epochs, members=members or recipe.members)


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
    recipe: Recipe = REGULARISED,
    heads: Arrangement = "single",
    seed: int = 0,
    progress: Progress | None = None,
    term: Term | None = None,
) -> TrainResult:
    """Train one classifier for each attribute; the same seed gives the same weights on a machine.

    The share `HELD_OUT` of the rows is held out of training. The heads are calibrated on the prior
    draws among them, so that probabilities hold under the generator's own distribution;
    conditioned rows are scored apart. A missing label (NaN) is skipped.

    Args:
        heads: one trunk with a head for each attribute, or an MLP for each.
        progress: called with (epochs done, epochs) after each epoch.
        term: what is added to the loss of every step, a function of the heads.

    Raises:
        UsageError: the labels do not fit the attributes, or are too few.
    """
    began = time.perf_counter()
    examples.check(attributes)
    fitted, held_out = (examples.take(rows) for rows in split(examples, HELD_OUT, seed))
    if (~held_out.conditioned).sum() < FEWEST_HELD_OUT:
        raise UsageError(
            f"too few labelled prior draws to hold {FEWEST_HELD_OUT} of them out; the recipe "
            "`linear` needs none"
        )

    classifier = Heads(
        attributes,
        arrangement=heads,
        members=recipe.members,
        inputs=examples.w.shape[1],
        hidden=recipe.hidden,
    )
    by_attribute = scales(attributes, fitted.columns, by_range=not recipe.standardise)
    targets = Targets(classifier.attributes, classifier.columns, fitted.columns, by_attribute)
    fit(classifier, torch.from_numpy(fitted.w), targets, recipe, seed, progress, term)
    classifier.round_and_freeze()
    report = {
        "recipe": recipe.name,
        "heads": heads,
        "members": recipe.members,
        "epochs": recipe.epochs,
        "seed": seed,
        "rows": {
            name: {
                "prior": int((~part.conditioned).sum()),
                "conditioned": int(part.conditioned.sum()),
            }
            for name, part in (("training", fitted), ("held_out", held_out))
        },
        "attributes": calibrate_and_score(classifier, held_out, by_attribute, recipe.calibrate),
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


class Targets:
    """Labels of N rows, as the loss of all heads takes them; a missing label adds nothing.

    Heads with equally many classes are scored in one operation, since a dozen small ones would
    take as long as the networks. A value is its output * scale + offset.
    """

    def __init__(
        self,
        attributes: Sequence[Attribute],
        places: Mapping[str, slice],
        columns: Columns,
        scales: Mapping[str, Scale],
    ) -> None:
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
        """The loss of raw outputs (members, n, columns): a sum over heads and members.

        A head's loss is the cross-entropy, or the squared error of a continuous one (LACE sec. 4),
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
    """(scale, offset) by continuous attribute: low..high to 0..1 as in the paper, or moments."""
    found = {}
    for a in attributes:
        if not a.discrete:
            moments = float(np.nanstd(columns[a.name])), float(np.nanmean(columns[a.name]))
            found[a.name] = (a.high - a.low, a.low) if by_range else moments
    return found


def _mean_over_rows(each: Tensor, seen: Tensor) -> Tensor:
    return (each.sum(dim=1) / seen.sum(dim=1).clamp(min=1)).sum()
