"""Files of StyleGAN2 generators as their authors pickle them, with random weights and small sizes.

The modules and classes that the pickles name are made here, for no such package is installed.
"""

from __future__ import annotations

import io
import pickle
import sys
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np
import torch
from attrs import evolve
from torch import Tensor

from lacelang.generators.stylegan2.config import Config, has_image

SMALL = Config(16, 12, 0, 0, (20, 12), (8, 6, 4, 4), "skip", None)
CIFAR = evolve(SMALL, classes=10, embedded=12, clamp=256.0)
Raw = dict[str, Tensor]


@contextmanager
def modules() -> Iterator[dict[str, Any]]:
    """The names that pickles of the releases have, while they are written."""

    def _reconstruct_persistent_obj(meta: object) -> None:
        raise AssertionError("something of a pickle was run")

    names: dict[str, dict[str, Any]] = {
        "torch_utils": {},
        "torch_utils.persistence": {"_reconstruct_persistent_obj": _reconstruct_persistent_obj},
        "dnnlib": {},
        "dnnlib.util": {"EasyDict": type("EasyDict", (dict,), {})},
        "dnnlib.tflib": {},
        "dnnlib.tflib.network": {"Network": type("Network", (), {})},
    }
    made = {}
    for module, members in names.items():
        made[module] = ModuleType(module)
        for name, each in members.items():
            each.__module__, each.__qualname__ = module, name
            setattr(made[module], name, each)
    sys.modules.update(made)
    try:
        yield {name: each for members in names.values() for name, each in members.items()}
    finally:
        for module in made:
            del sys.modules[module]


class Persistent:
    """Pickled as an object of a persistent class."""

    def __init__(self, kind: str, names: dict[str, Any], **state: Any) -> None:
        self.kind, self.names, self.state = kind, names, state

    def __reduce__(self) -> Any:
        meta = {
            "type": "class",
            "version": 6,
            "module_src": "import os\nos.abort()\n",
            "class_name": self.kind,
            "state": {"training": False, "_init_args": (), **self.state},
        }
        easy = self.names["EasyDict"](meta)
        return self.names["_reconstruct_persistent_obj"], (easy,), None


def raw_of(config: Config, seed: int = 0) -> Raw:
    """Weights of a generator under the names of the PyTorch releases, as they are trained."""
    random = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=random)

    raw: Raw = {}

    def dense(name: str, inputs: int, outputs: int, bias: float = 0, rate: float = 1) -> None:
        raw[f"{name}.weight"] = normal(outputs, inputs) / rate
        raw[f"{name}.bias"] = bias + 0.2 * normal(outputs) / rate

    if config.classes:
        dense("mapping.embed", config.classes, config.embedded)
    before = config.z + config.embedded
    for number, width in enumerate(config.hidden):
        dense(f"mapping.fc{number}", before, width, rate=0.01)
        before = width
    raw["mapping.w_avg"] = 0.1 * normal(config.w)
    inputs = config.channels[0]
    for k, outputs in enumerate(config.channels):
        size = 4 << k
        name = f"synthesis.b{size}"
        if not k:
            raw[f"{name}.const"] = normal(outputs, 4, 4)
        for part in ("conv0", "conv1") if k else ("conv1",):
            width = inputs if part == "conv0" else outputs
            dense(f"{name}.{part}.affine", config.w, width, bias=1)
            raw[f"{name}.{part}.weight"] = normal(outputs, width, 3, 3)
            raw[f"{name}.{part}.bias"] = 0.2 * normal(outputs)
            raw[f"{name}.{part}.noise_const"] = normal(size, size)
            raw[f"{name}.{part}.noise_strength"] = 0.3 * normal(1)[0]
        if has_image(config, k):
            dense(f"{name}.torgb.affine", config.w, outputs, bias=1)
            raw[f"{name}.torgb.weight"] = normal(3, outputs, 1, 1)
            raw[f"{name}.torgb.bias"] = 0.2 * normal(3)
        if k and config.kind == "resnet":
            raw[f"{name}.skip.weight"] = normal(outputs, inputs, 1, 1)
        inputs = outputs
    return raw


def _attributes(config: Config, name: str, raw: Raw) -> tuple[str, dict[str, Any]]:
    """The class of a module, and the attributes that its constructor set."""
    last = name.rpartition(".")[2]
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0])
    filtered = {"resample_filter": torch.outer(taps, taps) / 64}
    clamp = config.clamp
    if last.startswith("fc") or last in ("embed", "affine"):
        rate = 0.01 if last.startswith("fc") else 1.0
        gain = rate / np.sqrt(raw[f"{name}.weight"].shape[1])
        activation = "lrelu" if last.startswith("fc") else "linear"
        said = {"activation": activation, "weight_gain": gain, "bias_gain": rate}
        return "FullyConnectedLayer", said
    if last.startswith("conv"):
        said = {"use_noise": True, "activation": "lrelu", "conv_clamp": clamp, "_buffers": filtered}
        return "SynthesisLayer", said
    if last == "torgb":
        return "ToRGBLayer", {"conv_clamp": clamp, "_buffers": {}}
    if last == "skip":
        return "Conv2dLayer", {"_buffers": filtered}
    if last.startswith("b"):
        return "SynthesisBlock", {"architecture": config.kind, "_buffers": filtered}
    return {"mapping": "MappingNetwork", "synthesis": "SynthesisNetwork"}[last], {}


_BUFFERS = ("noise_const", "w_avg")


def persistent(config: Config, raw: Raw, names: dict[str, Any], prefix: str = "") -> Any:
    """The module of a name, with all modules in it."""
    if prefix:
        kind, said = _attributes(config, prefix, raw)
    else:
        kind = "Generator"
        said = {"z_dim": config.z, "c_dim": config.classes, "w_dim": config.w}
        said |= {"img_resolution": config.resolution, "img_channels": 3}
        said |= {"_init_kwargs": names["EasyDict"](z_dim=config.z)}
    inside = [n[len(prefix) + bool(prefix) :] for n in raw if n.startswith(prefix)]
    own = {n: raw[f"{prefix}.{n}"] for n in inside if "." not in n}
    parameters = {n: torch.nn.Parameter(t) for n, t in own.items() if n not in _BUFFERS}
    buffers = {n: t for n, t in own.items() if n in _BUFFERS}
    below = {
        n: persistent(config, raw, names, f"{prefix}.{n}" if prefix else n)
        for n in dict.fromkeys(n.partition(".")[0] for n in inside if "." in n)
    }
    return Persistent(
        kind,
        names,
        **{
            **said,
            "_parameters": OrderedDict(parameters),
            "_buffers": OrderedDict({**said.get("_buffers", {}), **buffers}),
            "_modules": OrderedDict(below),
        },
    )


def ada(config: Config, raw: Raw, protocol: int = 4, **changed: Any) -> bytes:
    """A file of the PyTorch release: generator, discriminator and what they were trained with."""
    with modules() as names:
        generator = persistent(config, raw, names)
        generator.state.update(changed)
        critic = Persistent("Discriminator", names, _parameters=OrderedDict(), _modules={})
        value = {
            "G": None,
            "D": critic,
            "G_ema": generator,
            "training_set_kwargs": names["EasyDict"](path="./data.zip", use_labels=False),
            "augment_pipe": None,
        }
        return pickle.dumps(value, protocol)


def tensorflow(config: Config, raw: Raw, protocol: int = 4, **said: Any) -> bytes:
    """A file of the TensorFlow releases, whose generator has the same weights."""

    def network(variables: dict[str, Any], **more: Any) -> Any:
        made = names["Network"]()
        made.version, made.name, made.build_module_src = 4, "Gs", "import os\nos.abort()\n"
        made.static_kwargs = names["EasyDict"](said)
        made.components = names["EasyDict"](more)
        # A session gives a number of numpy's for a variable that is one.
        arrays = {n: np.asarray(v, np.float32) for n, v in variables.items()}
        made.variables = [(n, a if a.ndim else a[()]) for n, a in arrays.items()]
        return made

    mapping, synthesis = {}, {}
    for number in range(len(config.hidden)):
        mapping[f"Dense{number}/weight"] = raw[f"mapping.fc{number}.weight"].T
        mapping[f"Dense{number}/bias"] = raw[f"mapping.fc{number}.bias"]
    if config.classes:
        mapping["LabelEmbed/weight"] = raw["mapping.embed.weight"].T
        mapping["LabelEmbed/bias"] = raw["mapping.embed.bias"]
    for k in range(len(config.channels)):
        size = 4 << k
        here, there = f"synthesis.b{size}", f"{size}x{size}"
        if not k:
            synthesis["4x4/Const/const"] = raw[f"{here}.const"][None]
        layers = {"torgb": ("ToRGB", None)} if has_image(config, k) else {}
        if k:
            layers |= {"conv0": ("Conv0_up", 2 * k - 1), "conv1": ("Conv1", 2 * k)}
        else:
            layers |= {"conv1": ("Conv", 0)}
        for part, (name, number) in layers.items():
            weight = raw[f"{here}.{part}.weight"].permute(2, 3, 1, 0).numpy()
            flipped = weight[::-1, ::-1] if part == "conv0" else weight
            synthesis[f"{there}/{name}/weight"] = flipped
            synthesis[f"{there}/{name}/bias"] = raw[f"{here}.{part}.bias"]
            synthesis[f"{there}/{name}/mod_weight"] = raw[f"{here}.{part}.affine.weight"].T
            synthesis[f"{there}/{name}/mod_bias"] = raw[f"{here}.{part}.affine.bias"] - 1
            if number is not None:
                strength = raw[f"{here}.{part}.noise_strength"]
                synthesis[f"{there}/{name}/noise_strength"] = strength
                synthesis[f"noise{number}"] = raw[f"{here}.{part}.noise_const"][None, None]
        if f"{here}.skip.weight" in raw:
            synthesis[f"{there}/Skip/weight"] = raw[f"{here}.skip.weight"].permute(2, 3, 1, 0)
    with modules() as names:
        own = {"lod": np.float32(0), "dlatent_avg": raw["mapping.w_avg"]}
        whole = network(own, mapping=network(mapping), synthesis=network(synthesis))
        return pickle.dumps((None, None, whole), protocol)


def rosinality(config: Config, raw: Raw, *, zipped: bool = True, **left_out: bool) -> bytes:
    """A checkpoint of rosinality's implementation, whose generator has the same weights."""
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0])
    kernel = torch.outer(taps, taps) / 16
    state: dict[str, Tensor] = {"input.input": raw["synthesis.b4.const"][None]}
    for number in range(len(config.hidden)):
        for part in ("weight", "bias"):
            state[f"style.{number + 1}.{part}"] = raw[f"mapping.fc{number}.{part}"]

    def layer(name: str, here: str) -> None:
        state[f"{name}.conv.weight"] = raw[f"{here}.weight"][None]
        state[f"{name}.conv.modulation.weight"] = raw[f"{here}.affine.weight"]
        state[f"{name}.conv.modulation.bias"] = raw[f"{here}.affine.bias"]

    for k in range(len(config.channels)):
        here = f"synthesis.b{4 << k}"
        rgb = f"to_rgbs.{k - 1}" if k else "to_rgb1"
        layer(rgb, f"{here}.torgb")
        state[f"{rgb}.bias"] = raw[f"{here}.torgb.bias"].reshape(1, 3, 1, 1)
        parts = {f"convs.{2 * k - 2}": "conv0", f"convs.{2 * k - 1}": "conv1"}
        for name, part in parts.items() if k else [("conv1", "conv1")]:
            layer(name, f"{here}.{part}")
            state[f"{name}.activate.bias"] = raw[f"{here}.{part}.bias"]
            state[f"{name}.noise.weight"] = raw[f"{here}.{part}.noise_strength"].reshape(1)
            number = 2 * k - (part == "conv0")
            noise = raw[f"{here}.{part}.noise_const"][None, None]
            if not left_out.get("noise"):
                state[f"noises.noise_{number}"] = noise
        if k:
            state[f"convs.{2 * k - 2}.conv.blur.kernel"] = kernel
            state[f"{rgb}.upsample.kernel"] = kernel
    value: dict[str, Any] = {"g_ema": OrderedDict(state), "latent_avg": raw["mapping.w_avg"]}
    if left_out.get("latent_avg"):
        del value["latent_avg"]
    file = io.BytesIO()
    torch.save(value, file, _use_new_zipfile_serialization=zipped)
    return file.getvalue()
