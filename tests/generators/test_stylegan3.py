"""StyleGAN3 from its published files, held against the formulas of the paper, computed slowly."""

from __future__ import annotations

import json
import math
import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from attrs import evolve
from published_files import Persistent, modules
from test_stylegan2 import Numbers, full, leaky, normalised

from lacelang.generators import statistics
from lacelang.generators.stylegan3 import STYLEGAN3, published
from lacelang.generators.stylegan3.config import (
    Config,
    LayerConfig,
    config_of,
    published_parameters,
    shapes_of,
)
from lacelang.generators.stylegan3.generator import StyleGAN3
from lacelang.progress import Silent
from lacelang.storage.cache import sha256_of
from lacelang.storage.fetch import WeightsFile
from lacelang.storage.published import RefusedError, read_published
from lacelang.testing.generators import CONTRACT, with_weights

# Up- and downsampling by 2 and 4, filters of one and two dimensions, padding that adds and removes.
UP = LayerConfig(6, 5, 3, 4, 2, 12, 6, False, (9, 8, 9, 8), False)
TURNED = LayerConfig(5, 4, 1, 2, 2, 12, 12, True, (10, 11, 10, 11), False)
CROPPED = LayerConfig(4, 4, 3, 2, 1, 6, 6, False, (-3, -2, -3, -2), False)
IMAGE = LayerConfig(4, 3, 1, 1, 1, 0, 0, False, (-2, -2, -2, -2), True)
SMALL = Config(16, 12, 0, 0, (14, 12), 6, 8, 16.0, 2.0, (UP, TURNED, CROPPED, IMAGE), 256.0, 0.25)
CONFIGS = {
    "t_and_r": SMALL,
    "limited": evolve(SMALL, clamp=0.7),
    "classes": evolve(SMALL, classes=4, embedded=12),
}


def raw_of(config: Config, seed: int = 0) -> dict[str, torch.Tensor]:
    """Weights under this project's names, before constants are folded in."""
    random = torch.Generator().manual_seed(seed)
    raw = {}
    for name, shape in shapes_of(config).items():
        raw[name] = torch.randn(shape, generator=random)
        if name.startswith("mapping.layers"):
            raw[name] /= 0.01
        if name.endswith("affine.bias"):
            raw[name] = 1 + 0.2 * raw[name]
        if name.endswith(".gain"):  # the file has the magnitude of which this is the inverse root
            raw[name] = 0.5 + torch.rand((), generator=random)
        if name.endswith("filter"):
            raw[name] /= raw[name].numel()
    raw["synthesis.input.transform"] = torch.eye(3) + 0.1 * raw["synthesis.input.transform"]
    raw["w_mean"] = 0.1 * torch.randn(config.w, generator=random)
    return raw


def file_of(config: Config, raw: dict[str, torch.Tensor], **changed: Any) -> bytes:
    """A file of the release; the names of its layers are in an order of their own."""
    with modules() as names:

        def module(kind: str, tensors: dict[str, Any], inside: Any = (), **state: Any) -> Any:
            buffers = {n: t for n, t in tensors.items() if n not in ("weight", "bias")}
            both = {
                "_parameters": OrderedDict(
                    (n, torch.nn.Parameter(t)) for n, t in tensors.items() if n not in buffers
                ),
                "_buffers": OrderedDict(buffers),
                "_modules": OrderedDict(inside),
            }
            return Persistent(kind, names, **both, **state)

        def dense(name: str, activation: str, rate: float = 1.0) -> Any:
            weight = raw[f"{name}.weight"]
            tensors = {"weight": weight, "bias": raw[f"{name}.bias"]}
            gains = {"weight_gain": rate / np.sqrt(weight.shape[1]), "bias_gain": rate}
            return module("FullyConnectedLayer", tensors, activation=activation, **gains)

        def layer(number: int, said: LayerConfig) -> Any:
            name = f"synthesis.layers.{number}"
            tensors = {part: raw[f"{name}.{part}"] for part in ("weight", "bias")}
            tensors["magnitude_ema"] = raw[f"{name}.gain"]
            for part in ("up_filter", "down_filter"):
                tensors[part] = raw.get(f"{name}.{part}")
            return module(
                "SynthesisLayer",
                tensors,
                {"affine": dense(f"{name}.affine", "linear")},
                up_factor=said.up,
                down_factor=said.down,
                padding=list(said.padding),
                is_torgb=said.image,
                conv_clamp=config.clamp,
                in_size=np.array([8, 8]),
            )

        def mapping() -> Any:
            inside = {
                f"fc{n}": dense(f"mapping.layers.{n}", "lrelu", 0.01)
                for n in range(len(config.hidden))
            }
            if config.classes:
                inside["embed"] = dense("mapping.embed", "linear")
            return module("MappingNetwork", {"w_avg": raw["w_mean"]}, inside)

        waves = {
            "weight": raw["synthesis.input.weight"],
            "freqs": raw["synthesis.input.frequencies"],
            "phases": raw["synthesis.input.phases"],
            "transform": raw["synthesis.input.transform"],
        }
        source = module(
            "SynthesisInput",
            waves,
            {"affine": dense("synthesis.input.affine", "linear")},
            size=np.array([config.size] * 2),
            sampling_rate=np.float64(config.rate),
            bandwidth=np.float64(config.bandwidth),
        )
        layers = {f"L{n}_x": layer(n, said) for n, said in enumerate(config.layers)}
        order = list(layers)
        inside = {"input": source, **dict(reversed(layers.items()))}
        synthesis = module(
            "SynthesisNetwork", {}, inside, layer_names=order, output_scale=config.scale
        )
        synthesis.state.update(changed)
        whole = module(
            "Generator",
            {},
            {"synthesis": synthesis, "mapping": mapping()},
            z_dim=config.z,
            c_dim=config.classes,
            w_dim=config.w,
            img_resolution=config.resolution,
            img_channels=3,
        )
        return pickle.dumps({"G_ema": whole, "training_set_kwargs": names["EasyDict"](path="x")})


class Formulas:
    """A generator by its published weights, in float64."""

    def __init__(self, config: Config, raw: dict[str, torch.Tensor]) -> None:
        self.config = config
        self.raw = {name: each.double().numpy() for name, each in raw.items()}

    def dense(self, name: str, x: Numbers, rate: float = 1.0) -> Numbers:
        weight = self.raw[f"{name}.weight"]
        return np.einsum("ni,oi->no", x, weight) * rate / np.sqrt(weight.shape[1]) + (
            self.raw[f"{name}.bias"] * rate
        )

    def mapping(self, z: Numbers, classes: Numbers | None) -> Numbers:
        x = normalised(z)
        if classes is not None:
            x = np.concatenate([x, normalised(self.dense("mapping.embed", classes))], axis=1)
        for number in range(len(self.config.hidden)):
            x = leaky(self.dense(f"mapping.layers.{number}", x, 0.01)) * np.sqrt(2)
        return x

    def waves(self, w: Numbers) -> Numbers:
        """Point by point: where it is, turned and shifted, what waves it has there."""
        config, name = self.config, "synthesis.input"
        said = self.dense(f"{name}.affine", w[None])[0]
        c, s, x, y = said / np.hypot(said[0], said[1])
        turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
        shift = np.array([[1, 0, -x], [0, 1, -y], [0, 0, 1]])
        moved = turn @ shift @ self.raw[f"{name}.transform"]
        out = np.empty((config.frequencies, config.size, config.size))
        for k in range(config.frequencies):
            own = self.raw[f"{name}.frequencies"][k]
            length = np.hypot(*(own @ moved[:2, :2]))
            fading = (length - config.bandwidth) / (config.rate / 2 - config.bandwidth)
            for i in range(config.size):
                for j in range(config.size):
                    place = np.array([j + 0.5, i + 0.5]) - config.size / 2
                    at = moved[:2, :2] @ (place / config.rate) + moved[:2, 2]
                    angle = own @ at + self.raw[f"{name}.phases"][k]
                    out[k, i, j] = np.sin(2 * np.pi * angle) * np.clip(1 - fading, 0, 1)
        mixed: Numbers = np.einsum("oi,ihw->ohw", self.raw[f"{name}.weight"], out)
        return mixed / np.sqrt(config.frequencies)

    def layer(self, number: int, x: Numbers, w: Numbers) -> Numbers:
        said, name = self.config.layers[number], f"synthesis.layers.{number}"
        weight = (
            self.raw[f"{name}.weight"] * self.dense(f"{name}.affine", w[None])[0][:, None, None]
        )
        if said.image:
            weight = weight / np.sqrt(weight[0].size)
        else:  # unit variance, whatever the style
            weight = weight / np.sqrt((weight**2).sum(axis=(1, 2, 3), keepdims=True))
        weight = weight / np.sqrt(self.raw[f"{name}.gain"])
        planes = [sum(full(a, b[::-1, ::-1]) for a, b in zip(x, k, strict=True)) for k in weight]
        x = np.array(planes) + self.raw[f"{name}.bias"][:, None, None]
        dense = np.zeros((len(x), x.shape[1] * said.up, x.shape[2] * said.up))
        dense[:, :: said.up, :: said.up] = x
        low, high = said.padding[:2]
        dense = np.pad(dense, ((0, 0), *((max(0, low), max(0, high)),) * 2))
        cut = slice(max(0, -low), dense.shape[1] - max(0, -high))
        x = self.filtered(f"{name}.up_filter", dense[:, cut, cut], said.up)
        x = x if said.image else leaky(x) * np.sqrt(2)
        limit = self.config.clamp
        x = x if limit is None else np.clip(x, -limit, limit)
        x = self.filtered(f"{name}.down_filter", x, 1)
        return x[:, :: said.down, :: said.down]

    def filtered(self, name: str, x: Numbers, gain: float) -> Numbers:
        if name not in self.raw:
            return x
        taps = self.raw[name]
        kernel = np.outer(taps, taps) if taps.ndim == 1 else taps
        edge = len(kernel) - 1
        return full(x, kernel * gain**2)[:, edge:-edge, edge:-edge]

    def synthesis(self, styles: Numbers) -> Numbers:
        images = []
        for w in styles:
            x = self.waves(w[0])
            for number in range(len(self.config.layers)):
                x = self.layer(number, x, w[number + 1])
            images.append(x * self.config.scale)
        return np.array(images)


def imported(folder: Path, data: bytes) -> tuple[StyleGAN3, WeightsFile]:
    path, out = folder / "made.pkl", folder / "made.generator.safetensors"
    path.write_bytes(data)
    found = published.find(read_published(path))
    assert found is not None
    found.save(out, Silent())
    weights = WeightsFile(out, sha256_of(out))
    return StyleGAN3(weights, torch.device("cpu")), weights


@pytest.fixture(autouse=True)
def _few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statistics, "PRIOR_DRAWS", 4096)


@pytest.mark.parametrize("name", CONFIGS)
def test_images_are_those_of_the_formulas(name: str, tmp_path: Path) -> None:
    config = CONFIGS[name]
    raw = raw_of(config, seed=5)
    generator, _ = imported(tmp_path, file_of(config, raw))
    assert generator.config == config
    formulas = Formulas(config, raw)
    random = np.random.default_rng(0)
    z = random.standard_normal((3, config.z + config.classes))
    classes = None
    if config.classes:
        classes = np.exp(16 * z[:, config.z :])
        classes /= classes.sum(axis=1, keepdims=True)
    w = formulas.mapping(z[:, : config.z], classes)
    assert np.allclose(generator.mapping(torch.from_numpy(z).float()), w, rtol=1e-4, atol=1e-4)
    styles = random.standard_normal((2, len(config.layers) + 1, config.w))
    wanted = formulas.synthesis(styles)
    assert wanted.shape == (2, 3, config.resolution, config.resolution)
    assert np.abs(wanted).max() > 0.01
    with torch.no_grad():
        made = generator.synthesis()(torch.from_numpy(styles).float()).double().numpy()
    assert np.allclose(made, wanted, rtol=1e-3, atol=1e-4 * np.abs(wanted).max())
    assert torch.allclose(generator.w_mean, raw["w_mean"])


def test_a_turn_of_the_input_turns_it(tmp_path: Path) -> None:
    """The same waves, a quarter turn further: the planes are turned."""
    raw = raw_of(SMALL)
    raw["synthesis.input.transform"] = torch.eye(3)
    raw["synthesis.input.frequencies"] *= 0.3  # none fades
    generator, _ = imported(tmp_path, file_of(SMALL, raw))
    source = generator.synthesis().input
    w = torch.zeros(1, SMALL.w)
    with torch.no_grad():
        source.affine.bias.copy_(torch.tensor([1.0, 0, 0, 0]))
        straight = source(w)
        source.affine.bias.copy_(torch.tensor([0.0, 1, 0, 0]))
        turned = source(w)
    assert not torch.allclose(turned, straight, atol=1e-3)
    assert torch.allclose(turned, torch.rot90(straight, 1, (2, 3)), atol=1e-5)


def layers_of(sizes: list[tuple[int, int]], kernel: int) -> tuple[LayerConfig, ...]:
    none = (0, 0, 0, 0)
    made = [LayerConfig(a, b, kernel, 2, 2, 12, 12, False, none, False) for a, b in sizes]
    return (*made, LayerConfig(sizes[-1][1], 3, 1, 1, 1, 0, 0, False, none, True))


def test_parameters_are_as_many_as_published() -> None:
    """Rows of the listing that the authors' training prints for configuration R at 128²."""
    sizes = [(1024, 1024)] * 10 + [(1024, 912), (912, 683), (683, 512), (512, 512)]
    config = Config(
        512, 512, 0, 0, (512, 512), 1024, 36, 16.0, 2.0, layers_of(sizes, 1), 256.0, 0.25
    )
    assert config.layout.layers == 16
    shapes = {name: math.prod(shape) for name, shape in shapes_of(config).items()}

    def row(prefix: str, *parts: str) -> int:
        return sum(shapes[f"{prefix}.{part}"] for part in parts)

    own = ("weight", "bias")
    assert row("mapping.layers.0", *own) == 262_656
    assert row("synthesis.input.affine", *own) == 2052
    assert row("synthesis.input", "weight") == 1_048_576
    assert row("synthesis.input", "transform", "frequencies", "phases") == 3081
    assert row("synthesis.layers.0.affine", *own) == 525_312
    assert row("synthesis.layers.0", *own) == 1_049_600
    assert row("synthesis.layers.10", *own) == 934_800
    assert row("synthesis.layers.11.affine", *own) == 467_856
    assert row("synthesis.layers.11", *own) == 623_579
    assert row("synthesis.layers.12", *own) == 350_208
    assert row("synthesis.layers.14", *own) == 1539
    assert row("synthesis.layers.12", "gain", "up_filter", "down_filter") == 25
    assert published_parameters(config) == sum(
        size for name, size in shapes.items() if name.endswith(own)
    )


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> WeightsFile:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(statistics, "PRIOR_DRAWS", 4096)
        raw, folder = raw_of(SMALL), tmp_path_factory.mktemp("kept")
        z = torch.randn(20_000, SMALL.layout.latent_dim)
        raw["w_mean"] = imported(folder, file_of(SMALL, raw))[0].mapping(z).mean(0)
        return imported(folder, file_of(SMALL, raw))[1]


@pytest.mark.parametrize("check", CONTRACT)
def test_contract(check: str, kept: WeightsFile) -> None:
    with_weights(kept)[check](STYLEGAN3)


def test_the_layout_is_read_from_the_header(kept: WeightsFile) -> None:
    assert STYLEGAN3.layout_for(kept) == SMALL.layout
    assert config_of(json.loads(json.dumps(SMALL.said))) == SMALL


BROKEN = {
    "no_order": ({"layer_names": None}, "order of its layers"),
    "an_odd_order": ({"layer_names": ["L0_x", "L0_x", "L1_x", "L2_x"]}, "not those that it says"),
    "no_scale": ({"output_scale": -1.0}, "scale"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_networks(name: str, tmp_path: Path) -> None:
    changed, said = BROKEN[name]
    path = tmp_path / "a.pkl"
    path.write_bytes(file_of(SMALL, raw_of(SMALL), **changed))
    with pytest.raises(RefusedError, match=said):
        published.find(read_published(path))


@pytest.mark.parametrize(
    "name",
    ["synthesis.input.phases", "synthesis.layers.1.affine.bias", "w_mean", "mapping.layers.1.bias"],
)
def test_tensors_that_are_no_numbers(name: str, tmp_path: Path) -> None:
    raw = raw_of(SMALL)
    raw[name].view(-1)[0] = math.inf
    path = tmp_path / "a.pkl"
    path.write_bytes(file_of(SMALL, raw))
    with pytest.raises(RefusedError, match="finite"):
        published.find(read_published(path))


@pytest.mark.parametrize(
    "changed",
    [
        {"up": 9},
        {"down": 0},
        {"padding": (0, 0, 1, 1)},
        {"padding": (-40, -40, -40, -40)},
        {"padding": (10**9,) * 4},
        {"inputs": 7},
        {"kernel": 9},
        {"image": True},
    ],
    ids=str,
)
def test_configurations_that_make_no_sense(changed: dict[str, Any]) -> None:
    said = evolve(SMALL, layers=(evolve(UP, **changed), *SMALL.layers[1:])).said
    with pytest.raises(ValueError, match=r"layer|channels"):
        config_of(json.loads(json.dumps(said)))
