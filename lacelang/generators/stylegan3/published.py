"""From what a published file holds to a StyleGAN3, configurations T and R."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

from lacelang.generators.declaration import Found
from lacelang.generators.published_weights import (
    Array,
    Module,
    Taken,
    dictionary,
    embedded,
    fan_in,
    module_of,
)
from lacelang.generators.stylegan2.ada import dense, take_mapping, whole
from lacelang.generators.stylegan2.networks import Mapping
from lacelang.generators.stylegan3.config import Config, config_of, shapes_of
from lacelang.generators.stylegan3.store import STORE
from lacelang.storage.published.records import refuse


def find(value: Any) -> Found | None:
    """Return the generator of a file of the releases; None of a file of others.

    Raises:
        RefusedError: it is not whole, or of a kind that is not known.
    """
    generator = module_of(dictionary(value).get("G_ema"), "G_ema.") or module_of(value, "")
    if generator is None or generator.kind != "Generator":
        return None
    if "input" not in generator.module("synthesis").modules():
        return None
    config, taken = _read(generator)
    mean = taken.arrays.pop("w_mean")
    taken.check(shapes_of(config))
    if mean.shape != (config.w,) or not np.isfinite(mean).all():
        refuse("its mean of w is of another length, or not finite")
    side, classes = config.resolution, f", {config.classes} classes" if config.classes else ""
    text = f"StyleGAN3, {side} x {side}{classes}, {config.layout.layers} style layers"
    return Found(text, config.layout, (), partial(STORE.save, config, taken.arrays, mean, Mapping))


def _read(generator: Module) -> tuple[Config, Taken]:
    taken = Taken()
    mapping, synthesis = generator.module("mapping"), generator.module("synthesis")
    hidden = take_mapping(mapping, taken)
    source = synthesis.module("input")
    dense(source.module("affine"), "synthesis.input.affine", taken, "linear")
    weight = source.tensor("weight")
    taken.take("synthesis.input.weight", weight, 1 / math.sqrt(max(1, len(weight))))
    for ours, theirs in (("frequencies", "freqs"), ("phases", "phases"), ("transform",) * 2):
        taken.take(f"synthesis.input.{ours}", source.tensor(theirs))
    names = synthesis.state.get("layer_names")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        refuse("it does not say the order of its layers")
    if set(names) != synthesis.modules().keys() - {"input"} or len(set(names)) != len(names):
        refuse("its layers are not those that it says")
    clamps: set[Any] = set()
    layers = [
        _layer(synthesis.module(name), f"synthesis.layers.{number}", taken, clamps)
        for number, name in enumerate(names)
    ]
    if len(clamps) != 1:
        refuse("its layers are of different kinds")
    classes, size = whole(generator, "c_dim"), source.number("size")
    if not isinstance(size, list) or len(size) != 2 or size[0] != size[1]:
        refuse("its input is not square")
    said = {
        "z": whole(generator, "z_dim"),
        "w": whole(generator, "w_dim"),
        "classes": classes,
        "embedded": embedded(taken, classes),
        "hidden": hidden,
        "frequencies": len(weight),
        "size": int(size[0]),
        "rate": source.number("sampling_rate"),
        "bandwidth": source.number("bandwidth"),
        "layers": layers,
        "clamp": clamps.pop(),
        "scale": synthesis.number("output_scale"),
    }
    try:
        return config_of(said), taken
    except ValueError as error:
        refuse(str(error))


def _layer(module: Module, name: str, taken: Taken, clamps: set[Any]) -> dict[str, Any]:
    """Take a layer; return its part of the configuration."""
    weight, image = module.tensor("weight"), bool(module.number("is_torgb"))
    if weight.ndim != 4:
        refuse("a layer has a weight that is not that of a convolution")
    dense(module.module("affine"), f"{name}.affine", taken, "linear")
    taken.take(f"{name}.weight", weight, 1 / math.sqrt(fan_in(weight)) if image else 1.0)
    taken.take(f"{name}.bias", module.tensor("bias"))
    power = module.tensor("magnitude_ema")
    if power.shape != () or not power > 0:
        refuse("a layer has a magnitude that makes no sense")
    taken.take(f"{name}.gain", np.asarray(power**-0.5, np.float32))
    up, down = _filter(module, f"{name}.up_filter", taken), None
    down = _filter(module, f"{name}.down_filter", taken)
    clamps.add(module.number("conv_clamp", False) or None)
    padding = module.number("padding")
    return {
        "inputs": weight.shape[1],
        "outputs": weight.shape[0],
        "kernel": weight.shape[2],
        "up": whole(module, "up_factor"),
        "down": whole(module, "down_factor"),
        "up_taps": 0 if up is None else len(up),
        "down_taps": 0 if down is None else len(down),
        "radial": down is not None and down.ndim == 2,
        "padding": padding if isinstance(padding, list) else [],
        "image": image,
    }


def _filter(module: Module, name: str, taken: Taken) -> Array | None:
    """Take a filter, if the layer has one."""
    last = name.rpartition(".")[2]
    if not module.has(last):
        return None
    found = module.tensor(last)
    taken.take(name, found)
    return found
