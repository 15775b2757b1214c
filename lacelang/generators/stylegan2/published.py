"""From a published file to a StyleGAN2: what kind of file it is, and what it lacks."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Never

import numpy as np

from lacelang.errors import ResourceError
from lacelang.generators.published_weights import Array, Taken, dictionary, module_of
from lacelang.generators.stylegan2 import ada, rosinality, tensorflow
from lacelang.generators.stylegan2.config import Config, shapes_of
from lacelang.storage.published import read_published
from lacelang.storage.published.records import RefusedError, refuse, shown

REMEDY = (
    "give a file of the releases of StyleGAN2 or StyleGAN2-ADA (.pkl), or a checkpoint of "
    "rosinality's implementation (.pt)"
)
"""What to do about a file that is none of them."""


def read(path: Path) -> tuple[Config, Taken, Array | None]:
    """Return the generator of a file: configuration, tensors by `shapes_of`, and the mean of w.

    The mean is None where the file has none.

    Raises:
        ResourceError: the file is another one, damaged, or not whole; nothing of it was run.
    """
    try:
        config, taken = _of(read_published(path))
        mean = taken.arrays.pop("w_mean", None)
        taken.check(shapes_of(config))
        if mean is not None and (mean.shape != (config.w,) or not np.isfinite(mean).all()):
            refuse("its mean of w is of another length, or not finite")
    except RefusedError as refusal:
        raise ResourceError(f"{path} is not read: {refusal}", REMEDY) from None
    return config, taken, mean


def _of(value: Any) -> tuple[Config, Taken]:
    state = tensorflow.network_of(value)
    if state is not None:
        return tensorflow.read(state)
    if rosinality.is_one(value):
        return rosinality.read(value)
    generator = module_of(dictionary(value).get("G_ema"), "G_ema.")
    generator = generator or module_of(value, "")
    if generator is None:
        _refuse_other(value)
    if generator.kind != "Generator":
        refuse(f"it holds a `{shown(generator.kind)}`, which is no generator")
    if "input" in generator.module("synthesis").modules():
        refuse("it is a StyleGAN3, which is not known yet")
    return ada.read(generator)


def _refuse_other(value: Any) -> Never:
    names = [name for name in dictionary(value) if isinstance(name, str)]
    if not names:
        refuse("it holds no generator")
    said = ", ".join(f"`{shown(name)}`" for name in names[:4])
    more = f" and {len(names) - 4} more" if len(names) > 4 else ""
    refuse(f"it holds no `G_ema` or `g_ema` of a StyleGAN2, but {said}{more}")
