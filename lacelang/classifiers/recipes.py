"""How to train: the published way, and the regularised way that makes faces obey."""

from __future__ import annotations

import math
from typing import Literal

from attrs import evolve, frozen

from lacelang.errors import UsageError


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
