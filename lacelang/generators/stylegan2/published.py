"""From what a published file holds to a StyleGAN2: the kind of file, and whether it is whole."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from lacelang.generators.declaration import Found
from lacelang.generators.published_weights import Array, Taken, dictionary, module_of
from lacelang.generators.stylegan2 import ada, rosinality, tensorflow
from lacelang.generators.stylegan2.config import Config, shapes_of
from lacelang.generators.stylegan2.networks import Mapping
from lacelang.generators.stylegan2.store import STORE
from lacelang.storage.published.records import refuse, shown


def find(value: Any) -> Found | None:
    """Return the generator of a file of the releases, or of rosinality's implementation.

    Raises:
        RefusedError: it is not whole, or of a kind that is not known.
    """
    found = read(value)
    if found is None:
        return None
    config, taken, mean = found
    side = config.resolution
    classes = f", {config.classes} classes" if config.classes else ""
    text = f"StyleGAN2, {side} x {side}{classes}, {config.styles} style layers"
    save = partial(STORE.save, config, taken.arrays, mean, Mapping)
    return Found(text, config.layout, tuple(taken.notes), save)


def read(value: Any) -> tuple[Config, Taken, Array | None] | None:
    """Return configuration, tensors by `shapes_of`, and the mean of w, None if there is none."""
    found = _of(value)
    if found is None:
        return None
    config, taken = found
    mean = taken.arrays.pop("w_mean", None)
    taken.check(shapes_of(config))
    if mean is not None and (mean.shape != (config.w,) or not np.isfinite(mean).all()):
        refuse("its mean of w is of another length, or not finite")
    return config, taken, mean


def _of(value: Any) -> tuple[Config, Taken] | None:
    state = tensorflow.network_of(value)
    if state is not None:
        return tensorflow.read(state)
    if rosinality.is_one(value):
        return rosinality.read(value)
    generator = module_of(dictionary(value).get("G_ema"), "G_ema.") or module_of(value, "")
    if generator is None:
        return None
    if generator.kind != "Generator":
        refuse(f"it holds a `{shown(generator.kind)}`, which is no generator")
    if "input" in generator.module("synthesis").modules():
        return None  # StyleGAN3
    return ada.read(generator)
