"""Train latent classifiers from labelled latents; calibrate and score them on held-out rows."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import torch
from attrs import frozen
from torch import Tensor

from lacelang.classifiers.calibration import calibrate_and_score
from lacelang.classifiers.classifier import Arrangement, Heads
from lacelang.classifiers.examples import Examples, split
from lacelang.classifiers.losses import Targets, scales
from lacelang.classifiers.recipes import Recipe, recipe_named
from lacelang.classifiers.schema import Attribute
from lacelang.errors import UsageError

HELD_OUT = 0.15
FEWEST_HELD_OUT = 20

Progress = Callable[[int, int], None]
Term = Callable[[Heads], Tensor]


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
