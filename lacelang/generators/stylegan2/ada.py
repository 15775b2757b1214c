"""Generators of the PyTorch releases of StyleGAN2-ADA and StyleGAN3, whose modules are pickled."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lacelang.generators.published_weights import Array, Module, Taken, embedded, fan_in, numbered
from lacelang.generators.stylegan2.config import RESOLUTIONS, Config, config_of
from lacelang.generators.stylegan2.networks import TAPS
from lacelang.storage.published.records import refuse, shown


def read(generator: Module) -> tuple[Config, Taken]:
    """Return configuration and tensors of a generator; `mapping.w_mean` is among them.

    Raises:
        RefusedError: it is another network, or not whole.
    """
    taken = Taken()
    mapping, synthesis = generator.module("mapping"), generator.module("synthesis")
    hidden = take_mapping(mapping, taken)
    z, w, classes = (whole(generator, name) for name in ("z_dim", "w_dim", "c_dim"))
    sizes = numbered(list(synthesis.modules()), "b")
    if not sizes or sizes != list(RESOLUTIONS[: len(sizes)]):
        refuse("its blocks are not those of resolutions from 4 to 1024")
    blocks = [synthesis.module(f"b{size}") for size in sizes]
    kinds: set[Any] = set()
    clamps: set[Any] = set()
    channels = []
    for k, block in enumerate(blocks):
        kinds.add(block.state.get("architecture"))
        channels.append(_block(block, k, taken, clamps))
    if len(kinds) != 1 or len(clamps) != 1:
        refuse("its blocks are of different kinds")
    colours = whole(generator, "img_channels")
    if colours != 3:
        refuse(f"its images have {colours} channels, and only those of three are read")
    said = {
        "z": z, "w": w, "classes": classes, "embedded": embedded(taken, classes), "hidden": hidden,
        "channels": channels, "kind": kinds.pop(), "clamp": clamps.pop(),
    }  # fmt: skip
    return checked(said), taken


def checked(said: dict[str, Any]) -> Config:
    """Return the configuration, or refuse one that makes no sense."""
    try:
        return config_of(said)
    except ValueError as error:
        refuse(str(error))


def take_mapping(mapping: Module, taken: Taken) -> list[int]:
    """Take a mapping network, StyleGAN2's or 3's; return the widths of its layers."""
    hidden = []
    for number in numbered(list(mapping.modules()), "fc"):
        dense(mapping.module(f"fc{number}"), f"mapping.layers.{number}", taken, "lrelu")
        hidden.append(len(taken.arrays[f"mapping.layers.{number}.bias"]))
    if "embed" in mapping.modules():
        dense(mapping.module("embed"), "mapping.embed", taken, "linear")
    taken.take("w_mean", mapping.tensor("w_avg"))
    return hidden


def dense(module: Module, name: str, taken: Taken, activation: str) -> None:
    """Take a fully connected layer, with the gains of its learning rate."""
    said = module.state.get("activation", activation)
    if said != activation:
        refuse(f"`{shown(module.path)}` has the activation `{shown(str(said))}`")
    gains = [module.number(f"{part}_gain") for part in ("weight", "bias")]
    if not all(isinstance(gain, int | float) and 0 < gain <= 1 for gain in gains):
        refuse(f"`{shown(module.path)}` has a learning rate that makes no sense")
    taken.take(f"{name}.weight", module.tensor("weight"), gains[0])
    taken.take(f"{name}.bias", module.tensor("bias"), gains[1])


def _block(block: Module, k: int, taken: Taken, clamps: set[Any]) -> int:
    """Take a block; return how many channels it has."""
    name, size = f"synthesis.blocks.{k}", 4 << k
    here = block.modules()
    check_filter(block, "resample_filter")
    if not k:
        taken.take("synthesis.const", block.tensor("const"))
    for part in ("conv0", "conv1") if k else ("conv1",):
        layer = block.module(part)
        check_filter(layer, "resample_filter")
        dense(layer.module("affine"), f"{name}.{part}.affine", taken, "linear")
        if layer.state.get("activation", "lrelu") != "lrelu":
            refuse("its layers have an activation that is not known")
        taken.take(f"{name}.{part}.weight", layer.tensor("weight"))
        taken.take(f"{name}.{part}.bias", layer.tensor("bias"))
        taken.take(f"{name}.{part}.noise", noise_of(layer, size))
        clamps.add(layer.number("conv_clamp", False) or None)
    if "torgb" in here:
        layer = block.module("torgb")
        dense(layer.module("affine"), f"{name}.to_rgb.affine", taken, "linear")
        weight = layer.tensor("weight")
        taken.take(f"{name}.to_rgb.weight", weight, 1 / math.sqrt(fan_in(weight)))
        taken.take(f"{name}.to_rgb.bias", layer.tensor("bias"))
        clamps.add(layer.number("conv_clamp", False) or None)
    if "skip" in here:
        weight = block.module("skip").tensor("weight")
        taken.take(f"{name}.skip.weight", weight, 1 / math.sqrt(fan_in(weight)))
    return len(taken.arrays[f"{name}.conv1.bias"])


def noise_of(layer: Module, size: int) -> Array:
    """Return the image of a layer's noise, which the releases keep, times its strength."""
    if not layer.state.get("use_noise", True) or not layer.has("noise_const"):
        return np.zeros((size, size), np.float32)
    noise: Array = layer.tensor("noise_const") * layer.tensor("noise_strength").reshape(())
    return noise


def check_filter(module: Module, name: str) -> None:
    """Refuse another filter of upsampling than the known one."""
    if module.has(name):
        check_taps(module.tensor(name))


def check_taps(found: Array) -> None:
    """Refuse another filter of upsampling than the known one, whatever its gain."""
    known = np.outer(TAPS, TAPS)
    scaled = found / max(float(np.abs(found).sum()), 1e-12)
    if found.shape != known.shape or not np.allclose(scaled, known / known.sum(), atol=1e-4):
        refuse("it has another filter of upsampling than [1, 3, 3, 1]")


def whole(module: Module, name: str) -> int:
    """Return an attribute that is a whole number."""
    value = module.number(name)
    if not isinstance(value, int):
        refuse(f"its `{name}` is no whole number")
    return value
