"""Generators of the first release of StyleGAN2, and of StyleGAN2-ADA for TensorFlow.

Both pickle a network as the names and values of its variables, beside source text, which is not
read.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lacelang.generators.published_weights import Array, Taken, dictionary, fan_in
from lacelang.generators.stylegan2.ada import checked
from lacelang.generators.stylegan2.config import RESOLUTIONS, Config
from lacelang.storage.published.records import Global, Record, refuse, shown
from lacelang.storage.published.tensors import array, is_array, plain

NETWORK = Global("dnnlib.tflib.network", "Network")
LEARNING_RATE = 0.01
FIRST = "a conditional network of the first StyleGAN2 joins labels in another way, and is not read"


def network_of(value: Any) -> dict[Any, Any] | None:
    """Return the state of the averaged generator, the last of three networks; None if not one."""
    if isinstance(value, tuple | list) and len(value) == 3:
        value = value[2]
    reconstructed = isinstance(value, Record) and value.of.name == "_reconstructor"
    of = value.args[0] if reconstructed and value.args else getattr(value, "of", None)
    return dictionary(value.state) if of == NETWORK else None


def read(state: dict[Any, Any]) -> tuple[Config, Taken]:
    """Return configuration and tensors; `w_mean` is among them.

    Raises:
        RefusedError: it is another network, or not whole.
    """
    parts = dictionary(state.get("components"))
    variables = _variables(state, "")
    for part in ("mapping", "synthesis"):
        inner = parts.get(part)
        if not isinstance(inner, Record) or inner.state is None:
            refuse(f"it lacks the {part} network")
        variables |= _variables(dictionary(inner.state), f"{part}/")
    said = dictionary(state.get("static_kwargs"))
    for name in ("mapping/LabelConcat/weight", "synthesis/lod", "synthesis/4x4/Dense/weight"):
        if name in variables:
            refuse(FIRST if "Label" in name else "it is of the first StyleGAN, not of StyleGAN2")
    taken, used = Taken(), set()

    def get(name: str) -> Array:
        used.add(name)
        if name not in variables:
            refuse(f"it lacks the variable `{name}`")
        found = variables[name]
        if is_array(found):
            return array(found)
        number = plain(found)  # of one that is a single number, the session gives that
        if not isinstance(number, int | float):
            refuse(f"its variable `{name}` is no array")
        return np.asarray(number, np.float32)

    def dense(name: str, ours: str, prefix: str = "", rate: float = 1.0, shift: float = 0) -> None:
        weight = get(f"{name}/{prefix}weight")
        if weight.ndim != 2:
            refuse(f"its `{name}/{prefix}weight` is no matrix")
        taken.take(f"{ours}.weight", weight.T, rate / math.sqrt(fan_in(weight.T)))
        taken.take(f"{ours}.bias", get(f"{name}/{prefix}bias") * rate + shift)

    def convolution(name: str, ours: str, *, flipped: bool = False) -> None:
        weight = get(f"{name}/weight")
        if weight.ndim != 4:
            refuse(f"its `{name}/weight` is not that of a convolution")
        if flipped:  # as its upsampling convolution, a transposed one, has it
            weight = weight[::-1, ::-1]
        weight = weight.transpose(3, 2, 0, 1)
        taken.take(f"{ours}.weight", weight, 1 / math.sqrt(fan_in(weight)))
        taken.take(f"{ours}.bias", get(f"{name}/bias"))
        dense(name, f"{ours}.affine", "mod_", shift=1.0)

    depth = [n for n in range(33) if f"mapping/Dense{n}/weight" in variables]
    rate = plain(said.get("mapping_lrmul", said.get("lrmul", LEARNING_RATE)))
    if not isinstance(rate, int | float) or not 0 < rate <= 1 or depth != list(range(len(depth))):
        refuse("its mapping network is not whole")
    for number in depth:
        dense(f"mapping/Dense{number}", f"mapping.layers.{number}", rate=rate)
    classes = embedded = 0
    if "mapping/LabelEmbed/weight" in variables:
        classes, embedded = get("mapping/LabelEmbed/weight").shape
        dense("mapping/LabelEmbed", "mapping.embed")
    average = "dlatent_avg" if "dlatent_avg" in variables else "mapping/dlatent_avg"
    taken.take("w_mean", get(average))
    sizes = [size for size in RESOLUTIONS if f"synthesis/{size}x{size}/Conv1/weight" in variables]
    taken.take("synthesis.const", get("synthesis/4x4/Const/const").squeeze(0))
    shortcuts = False
    for k, size in enumerate([4, *sizes]):
        if size != 4 << k:
            refuse("its blocks are not those of resolutions from 4 to 1024")
        there, ours = f"synthesis/{size}x{size}", f"synthesis.blocks.{k}"
        layers = {"conv0": ("Conv0_up", 2 * k - 1), "conv1": ("Conv1", 2 * k)}
        for part, (name, number) in layers.items() if k else [("conv1", ("Conv", 0))]:
            convolution(f"{there}/{name}", f"{ours}.{part}", flipped=name == "Conv0_up")
            strength = get(f"{there}/{name}/noise_strength").reshape(())
            image = get(f"synthesis/noise{number}")
            taken.take(f"{ours}.{part}.noise", image.reshape(image.shape[-2:]) * strength)
        if f"{there}/ToRGB/weight" in variables:
            convolution(f"{there}/ToRGB", f"{ours}.to_rgb")
        if f"{there}/Skip/weight" in variables:
            weight, shortcuts = get(f"{there}/Skip/weight"), True
            if weight.ndim != 4:
                refuse(f"its `{there}/Skip/weight` is not that of a convolution")
            weight = weight.transpose(3, 2, 0, 1)
            taken.take(f"{ours}.skip.weight", weight, 1 / math.sqrt(fan_in(weight)))
    odd = sorted(name for name in variables.keys() - used if name.startswith("synthesis/"))
    if odd:
        refuse(f"it has `{shown(odd[0])}`, which such a network has not")
    arrays, clamp = taken.arrays, plain(said.get("conv_clamp"))
    images = sum(name.endswith("to_rgb.bias") for name in arrays)
    kind = "resnet" if shortcuts else "skip" if images > 1 or not sizes else "orig"
    hidden = [len(arrays[f"mapping.layers.{number}.bias"]) for number in depth]
    first = arrays["mapping.layers.0.weight"].shape[1] if depth else 0
    config = checked(
        {
            "z": first - embedded, "w": hidden[-1] if hidden else 0,
            "classes": classes, "embedded": embedded, "hidden": hidden, "kind": kind,
            "channels": [
                len(arrays[f"synthesis.blocks.{k}.conv1.bias"]) for k in range(1 + len(sizes))
            ],
            "clamp": clamp or None,
        }
    )  # fmt: skip
    return config, taken


def _variables(state: dict[Any, Any], prefix: str) -> dict[str, Any]:
    pairs = state.get("variables")
    found = {}
    for pair in pairs if isinstance(pairs, list) else []:
        if isinstance(pair, tuple) and len(pair) == 2 and isinstance(pair[0], str):
            found[prefix + pair[0]] = pair[1]
    return found
