"""Checkpoints of the widely used PyTorch implementation by Seonghyeon Kim (rosinality)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lacelang.generators.published_weights import Array, Taken, dictionary, fan_in, numbered
from lacelang.generators.stylegan2.ada import check_taps, checked
from lacelang.generators.stylegan2.config import RESOLUTIONS, Config
from lacelang.storage.published.records import refuse, shown
from lacelang.storage.published.tensors import is_tensor, tensor

LEARNING_RATE = 0.01
"""Of the mapping network, relative to the rest; checkpoints do not say it."""
NOISE_SEED = 0


def is_one(value: Any) -> bool:
    """Whether a file is such a checkpoint."""
    state = dictionary(dictionary(value).get("g_ema"))
    return any(isinstance(name, str) and name.startswith("convs.") for name in state)


def read(value: Any) -> tuple[Config, Taken]:
    """Return configuration and tensors; `w_mean` is among them if the file has it.

    Raises:
        RefusedError: it is another network, or not whole.
    """
    checkpoint = dictionary(value)
    state = dictionary(checkpoint["g_ema"])
    taken = Taken()
    used: set[str] = set()

    def get(name: str) -> Array:
        used.add(name)
        found = state.get(name)
        if not is_tensor(found):
            refuse(f"it lacks the tensor `g_ema.{name}`")
        return tensor(found)

    def dense(name: str, ours: str, rate: float = 1.0) -> None:
        weight = get(f"{name}.weight")
        if weight.ndim != 2:
            refuse(f"its `g_ema.{name}.weight` is no matrix")
        taken.take(f"{ours}.weight", weight, rate / math.sqrt(fan_in(weight)))
        taken.take(f"{ours}.bias", get(f"{name}.bias"), rate)

    def convolution(name: str, ours: str) -> None:
        weight = get(f"{name}.conv.weight")
        if weight.ndim != 5 or len(weight) != 1:
            refuse(f"its `g_ema.{name}.conv.weight` is not that of one convolution")
        taken.take(f"{ours}.weight", weight[0], 1 / math.sqrt(fan_in(weight[0])))
        dense(f"{name}.conv.modulation", f"{ours}.affine")

    def layer(name: str, ours: str, number: int, size: int) -> None:
        convolution(name, ours)
        taken.take(f"{ours}.bias", get(f"{name}.activate.bias"))
        noise = f"noises.noise_{number}"
        image = get(noise).reshape(-1) if noise in state else _drawn(number, size)
        if image.size != size * size:
            refuse(f"its `g_ema.{noise}` is of another size than its layer")
        strength = get(f"{name}.noise.weight").reshape(-1)[:1]
        taken.take(f"{ours}.noise", image.reshape(size, size) * strength)

    names = [name for name in state if isinstance(name, str)]
    depth = numbered([n.removesuffix(".weight") for n in names], "style.")
    if depth != list(range(1, len(depth) + 1)):
        refuse("its mapping network is not whole")
    for number in depth:
        dense(f"style.{number}", f"mapping.layers.{number - 1}", LEARNING_RATE)
    count = 1 + len({n.split(".")[1] for n in names if n.startswith("to_rgbs.")})
    if not depth or count > len(RESOLUTIONS):
        refuse("it has more blocks than images of 1024 pixels need, or no mapping network")
    if "noises.noise_0" not in state:
        taken.notes.append("the file has no noise: it is drawn, with a fixed seed")
    taken.take("synthesis.const", get("input.input").squeeze(0))
    layer("conv1", "synthesis.blocks.0.conv1", 0, 4)
    for k in range(count):
        rgb, ours = "to_rgb1" if not k else f"to_rgbs.{k - 1}", f"synthesis.blocks.{k}"
        if k:
            for part, number in (("conv0", 2 * k - 1), ("conv1", 2 * k)):
                layer(f"convs.{number - 1}", f"{ours}.{part}", number, 4 << k)
            for kernel in (f"convs.{2 * k - 2}.conv.blur.kernel", f"{rgb}.upsample.kernel"):
                if kernel in state:
                    check_taps(get(kernel))
        convolution(rgb, f"{ours}.to_rgb")
        taken.take(f"{ours}.to_rgb.bias", get(f"{rgb}.bias").reshape(-1))
    odd = sorted(set(names) - used)
    if odd:
        refuse(f"it has `g_ema.{shown(odd[0])}`, which such a network has not")
    if is_tensor(checkpoint.get("latent_avg")):
        taken.take("w_mean", tensor(checkpoint["latent_avg"]).reshape(-1))
    arrays = taken.arrays
    hidden = [len(arrays[f"mapping.layers.{number - 1}.bias"]) for number in depth]
    config = checked(
        {
            "z": arrays["mapping.layers.0.weight"].shape[1], "w": hidden[-1],
            "classes": 0, "embedded": 0, "hidden": hidden, "kind": "skip", "clamp": None,
            "channels": [len(arrays[f"synthesis.blocks.{k}.conv1.bias"]) for k in range(count)],
        }
    )  # fmt: skip
    return config, taken


def _drawn(number: int, size: int) -> Array:
    """Noise for a layer of a checkpoint without any, as that implementation draws it anew."""
    return np.random.default_rng([NOISE_SEED, number]).standard_normal((size, size), np.float32)
