"""StyleGAN2 from its published files, held against the formulas of the papers, computed slowly."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from attrs import evolve
from numpy.typing import NDArray
from published_files import CIFAR, SMALL, Raw, ada, raw_of, rosinality
from published_files import tensorflow as of_tensorflow

from lacelang.errors import ResourceError
from lacelang.generators import statistics
from lacelang.generators.stylegan2 import STYLEGAN2, published
from lacelang.generators.stylegan2.config import (
    Config,
    config_of,
    has_image,
    published_parameters,
    shapes_of,
)
from lacelang.generators.stylegan2.generator import StyleGAN2
from lacelang.progress import Silent
from lacelang.storage.cache import sha256_of
from lacelang.storage.fetch import WeightsFile
from lacelang.storage.published import read_published
from lacelang.testing.generators import CONTRACT, with_weights

Numbers = NDArray[np.float64]


# The formulas, straight from the papers, in float64 and without shortcuts


def normalised(x: Numbers) -> Numbers:
    return x / np.sqrt((x**2).mean(axis=1, keepdims=True) + 1e-8)


def leaky(x: Numbers) -> Numbers:
    return np.where(x > 0, x, 0.2 * x)


class Formulas:
    """A generator by its published weights, as they are trained."""

    def __init__(self, config: Config, raw: Raw) -> None:
        self.config = config
        self.raw = {name: each.double().numpy() for name, each in raw.items()}

    def dense(self, name: str, x: Numbers, rate: float = 1.0) -> Numbers:
        weight = self.raw[f"{name}.weight"]
        scaled = weight * rate / np.sqrt(weight.shape[1])
        return np.einsum("ni,oi->no", x, scaled) + self.raw[f"{name}.bias"] * rate

    def mapping(self, z: Numbers, classes: Numbers | None = None) -> Numbers:
        x = normalised(z)
        if classes is not None:
            x = np.concatenate([x, normalised(self.dense("mapping.embed", classes))], axis=1)
        for number in range(len(self.config.hidden)):
            x = leaky(self.dense(f"mapping.fc{number}", x, 0.01)) * np.sqrt(2)
        return x

    def modulated(self, name: str, x: Numbers, w: Numbers, *, up: bool, demodulate: bool) -> Any:
        """Equations 1 and 3 of StyleGAN2: a weight of its own for each image."""
        weight = self.raw[f"{name}.weight"]
        style = self.dense(f"{name}.affine", w)
        each = np.einsum("oikl,ni->noikl", weight, style)
        if demodulate:
            each /= np.sqrt(np.einsum("noikl->no", each**2) + 1e-8)[:, :, None, None, None]
        else:
            each /= np.sqrt(weight[0].size)
        return np.stack([convolved(a, b, up=up) for a, b in zip(x, each, strict=True)])

    def layer(self, name: str, x: Numbers, w: Numbers, *, up: bool, gain: float = 1.0) -> Numbers:
        x = self.modulated(name, x, w, up=up, demodulate=True)
        x = x + self.raw[f"{name}.noise_const"] * self.raw[f"{name}.noise_strength"]
        x = leaky(x + self.raw[f"{name}.bias"][:, None, None]) * np.sqrt(2) * gain
        return self.limited(x, gain)

    def limited(self, x: Numbers, gain: float = 1.0) -> Numbers:
        limit = math.inf if self.config.clamp is None else self.config.clamp * gain
        return np.clip(x, -limit, limit)

    def synthesis(self, styles: Numbers) -> Numbers:
        w = list(styles.transpose(1, 0, 2))
        x = np.repeat(self.raw["synthesis.b4.const"][None], len(styles), axis=0)
        image: Numbers | None = None
        for k in range(len(self.config.channels)):
            name = f"synthesis.b{4 << k}"
            gain, around = 1.0, None
            if f"{name}.skip.weight" in self.raw:
                weight = self.raw[f"{name}.skip.weight"]
                mixed = np.einsum("oi,nihw->nohw", weight[:, :, 0, 0], x) / np.sqrt(weight.shape[1])
                gain, around = np.sqrt(0.5), doubled(mixed) * np.sqrt(0.5)
            if k:
                x = self.layer(f"{name}.conv0", x, w.pop(0), up=True)
            x = self.layer(f"{name}.conv1", x, w.pop(0), up=False, gain=gain)
            if around is not None:
                x = around + x
            if image is not None:
                image = doubled(image)
            if has_image(self.config, k):
                made = self.modulated(f"{name}.torgb", x, w[0], up=False, demodulate=False)
                made = self.limited(made + self.raw[f"{name}.torgb.bias"][:, None, None])
                image = made if image is None else image + made
        assert image is not None
        assert len(w) == 1
        return image


def full(x: Numbers, kernel: Numbers) -> Numbers:
    """The convolution of images (…, H, W) with a kernel, in all places where they meet."""
    high, wide = kernel.shape
    out = np.zeros((*x.shape[:-2], x.shape[-2] + high - 1, x.shape[-1] + wide - 1))
    for i in range(high):
        for j in range(wide):
            out[..., i : i + x.shape[-2], j : j + x.shape[-1]] += kernel[i, j] * x
    return out


def spread(x: Numbers) -> Numbers:
    """Zeros between the pixels."""
    out = np.zeros((*x.shape[:-2], 2 * x.shape[-2], 2 * x.shape[-1]))
    out[..., ::2, ::2] = x
    return out


FILTER = np.outer([1, 3, 3, 1], [1, 3, 3, 1]) / 64 * 4


def doubled(x: Numbers) -> Numbers:
    """Images of twice the size: (…, H, W) → (…, 2H, 2W), filtered."""
    return full(spread(x), FILTER)[..., 1:-2, 1:-2]


def convolved(x: Numbers, weight: Numbers, *, up: bool) -> Numbers:
    """One image (in, H, W) with weights (out, in, k, k), at the same size or at twice the size."""
    out = []
    for kernels in weight:
        if up:  # filtered first, which networks do last
            planes = [
                full(full(spread(a), FILTER), b)[2:-3, 2:-3]
                for a, b in zip(x, kernels, strict=True)
            ]
        else:  # a network's convolution is a correlation
            planes = [full(a, b[::-1, ::-1]) for a, b in zip(x, kernels, strict=True)]
            edge = weight.shape[-1] // 2
            planes = [p[edge : len(p) - edge, edge : len(p) - edge] for p in planes]
        out.append(sum(planes))
    return np.array(out)


# From a file to images


def imported(folder: Path, data: bytes, name: str = "made") -> tuple[StyleGAN2, WeightsFile]:
    path, out = folder / f"{name}.pkl", folder / f"{name}.generator.safetensors"
    path.write_bytes(data)
    found = published.find(read_published(path))
    assert found is not None
    found.save(out, Silent())
    weights = WeightsFile(out, sha256_of(out))
    return StyleGAN2(weights, torch.device("cpu")), weights


@pytest.fixture(autouse=True)
def _few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statistics, "PRIOR_DRAWS", 4096)


def planes(generator: StyleGAN2, styles: Numbers) -> Numbers:
    with torch.no_grad():
        return generator.synthesis()(torch.from_numpy(styles).float()).double().numpy()


CONFIGS = {
    "skip": SMALL,
    "limited": evolve(SMALL, clamp=1.0),
    "resnet": evolve(SMALL, kind="resnet", clamp=1.5),
    "orig": evolve(SMALL, kind="orig"),
    "classes": CIFAR,
    "4": evolve(SMALL, channels=(5,)),
    "8": evolve(SMALL, channels=(5, 3), hidden=(12,) * 8),
    "wide": evolve(SMALL, channels=(3, 9, 2)),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_images_are_those_of_the_formulas(name: str, tmp_path: Path) -> None:
    config = CONFIGS[name]
    raw = raw_of(config, seed=3)
    generator, _ = imported(tmp_path, ada(config, raw))
    formulas = Formulas(config, raw)
    assert generator.config == config
    random = np.random.default_rng(0)
    z = random.standard_normal((3, config.z + config.classes))
    classes = None
    if config.classes:
        classes = np.exp(16 * z[:, config.z :])
        classes /= classes.sum(axis=1, keepdims=True)
    w = formulas.mapping(z[:, : config.z], classes)
    assert np.allclose(generator.mapping(torch.from_numpy(z).float()), w, rtol=1e-4, atol=1e-4)
    styles = random.standard_normal((2, config.styles, config.w))
    wanted = formulas.synthesis(styles)
    assert wanted.shape == (2, 3, config.resolution, config.resolution)
    assert np.abs(wanted).max() > 0.1
    assert np.allclose(planes(generator, styles), wanted, rtol=1e-3, atol=2e-4)
    assert torch.allclose(generator.w_mean, raw["mapping.w_avg"])


@pytest.mark.parametrize("protocol", [2, 3, 5])
def test_any_protocol(protocol: int, tmp_path: Path) -> None:
    raw = raw_of(CIFAR)
    generator, _ = imported(tmp_path, ada(CIFAR, raw, protocol))
    assert generator.config == CIFAR


OTHERS = {
    "tensorflow": (SMALL, of_tensorflow),
    "tensorflow_with_classes": (CIFAR, lambda c, r: of_tensorflow(c, r, conv_clamp=256)),
    "tensorflow_resnet": (evolve(SMALL, kind="resnet"), of_tensorflow),
    "tensorflow_orig": (evolve(SMALL, kind="orig"), of_tensorflow),
    "rosinality": (SMALL, rosinality),
    "rosinality_before_zip": (SMALL, lambda c, r: rosinality(c, r, zipped=False)),
}


@pytest.mark.parametrize("name", OTHERS)
def test_the_same_weights_in_other_files_give_the_same_images(name: str, tmp_path: Path) -> None:
    config, made = OTHERS[name]
    raw = raw_of(config, seed=4)
    one, _ = imported(tmp_path, ada(config, raw))
    other, _ = imported(tmp_path, made(config, raw), "other")
    assert other.config == config
    styles = np.random.default_rng(1).standard_normal((2, config.styles, config.w))
    assert np.allclose(planes(one, styles), planes(other, styles), rtol=1e-4, atol=1e-4)
    z = torch.randn(4, config.layout.latent_dim)
    assert torch.allclose(one.mapping(z), other.mapping(z), atol=1e-5)
    assert torch.allclose(one.w_mean, other.w_mean)


def test_a_checkpoint_without_noise_and_mean(tmp_path: Path) -> None:
    """Noise is drawn, the same each time; w's mean is that of draws."""
    raw = raw_of(SMALL)
    data = rosinality(SMALL, raw, noise=True, latent_avg=True)
    one, weights = imported(tmp_path, data)
    _, again = imported(tmp_path, data, "again")
    assert weights.sha256 == again.sha256
    z = torch.randn(20_000, SMALL.z, generator=torch.Generator().manual_seed(9))
    assert torch.allclose(one.w_mean, one.mapping(z).mean(0), atol=0.1)
    found = published.find(read_published(tmp_path / "made.pkl"))
    assert found is not None
    assert "noise" in found.notes[0]


def test_truncation_goes_to_the_mean_of_the_file(tmp_path: Path) -> None:
    raw = raw_of(SMALL)
    generator, _ = imported(tmp_path, ada(SMALL, raw))
    w = torch.randn(2, SMALL.w)
    assert torch.allclose(generator.truncate(w, 0.0), raw["mapping.w_avg"].expand(2, -1))


def test_a_condition_can_change_the_class(tmp_path: Path) -> None:
    generator, _ = imported(tmp_path, ada(CIFAR, raw_of(CIFAR)))
    z = torch.zeros(1, CIFAR.layout.latent_dim, requires_grad=True)
    generator.mapping(z + 0.01).square().sum().backward()
    assert z.grad is not None
    assert (z.grad[0, CIFAR.z :] != 0).all()


# What its authors print


def channels(base: int, most: int, resolution: int) -> tuple[int, ...]:
    return tuple(
        min(base // size, most) for size in (4 << k for k in range(9)) if size <= resolution
    )


FFHQ = Config(512, 512, 0, 0, (512,) * 8, channels(32768, 512, 1024))


def test_parameters_are_as_many_as_published() -> None:
    """Config F at 1024²: 30 370 060, as its authors' listing says, and row by row."""
    assert published_parameters(FFHQ) == 30_370_060
    assert FFHQ.styles == FFHQ.layout.layers == 18
    sizes = {name: math.prod(shape) for name, shape in shapes_of(FFHQ).items()}

    def row(prefix: str) -> int:
        rows = {n: s for n, s in sizes.items() if n.startswith(prefix)}
        return sum(1 if name.endswith("noise") else size for name, size in rows.items())

    assert row("mapping.layers.0.") == 262_656
    assert row("synthesis.blocks.0.conv1.") == 2_622_465
    assert row("synthesis.blocks.0.to_rgb.") == 264_195
    assert row("synthesis.const") == 8192
    assert row("synthesis.blocks.8.to_rgb.") == 16_515
    assert row("synthesis.blocks.8.conv1.") == 25_665


@pytest.mark.parametrize(
    ("config", "resolution", "styles", "latent"),
    [
        (Config(512, 512, 10, 512, (512,) * 2, channels(32768, 512, 32), clamp=256), 32, 8, 522),
        (Config(512, 512, 0, 0, (512,) * 8, channels(32768, 512, 512), clamp=256), 512, 16, 512),
        (Config(512, 512, 0, 0, (512,) * 8, channels(16384, 512, 256), clamp=256), 256, 14, 512),
        (FFHQ, 1024, 18, 512),
    ],
    ids=["cifar10", "afhqcat", "paper256", "ffhq"],
)
def test_layouts(config: Config, resolution: int, styles: int, latent: int) -> None:
    assert config.resolution == resolution
    assert config.layout.latent_dim == latent
    assert config.layout.style_layers == tuple((layer,) for layer in range(styles))
    assert config_of(json.loads(json.dumps(config.said))) == config


# As any generator


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> WeightsFile:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(statistics, "PRIOR_DRAWS", 4096)
        raw, folder = raw_of(CIFAR), tmp_path_factory.mktemp("kept")
        # As in a file of the releases, the mean is that of w.
        z = torch.randn(20_000, CIFAR.layout.latent_dim)
        raw["mapping.w_avg"] = imported(folder, ada(CIFAR, raw))[0].mapping(z).mean(0)
        return imported(folder, ada(CIFAR, raw))[1]


@pytest.mark.parametrize("check", CONTRACT)
def test_contract(check: str, kept: WeightsFile) -> None:
    with_weights(kept)[check](STYLEGAN2)


def test_the_layout_is_read_from_the_header(kept: WeightsFile, tmp_path: Path) -> None:
    assert STYLEGAN2.layout_for(kept) == CIFAR.layout
    assert STYLEGAN2.is_ready(kept)
    for name, data in {
        "none": None,
        "empty": b"",
        "long": b"\xff" * 8,
        "text": b"\x02\0\0\0\0\0\0\0{}",
        "no_json": b"\x02\0\0\0\0\0\0\0{[",
        "deep": (100_000).to_bytes(8, "little") + b"[" * 100_000,
        "other": kept.path.read_bytes().replace(b"stylegan2", b"stylegan9"),
    }.items():
        path = tmp_path / name
        if data is not None:
            path.write_bytes(data)
        assert STYLEGAN2.layout_for(WeightsFile(path, "0" * 64)) is None


def test_a_damaged_or_missing_generator_is_refused(kept: WeightsFile, tmp_path: Path) -> None:
    with pytest.raises(ResourceError):
        StyleGAN2(WeightsFile(tmp_path / "none", "0" * 64), torch.device("cpu"))
    data = bytearray(kept.path.read_bytes())
    for name, changed in {
        "cut": data[:-40],
        "head": data.replace(b'z\\": 16', b'z\\": 17'),
    }.items():
        path = tmp_path / name
        path.write_bytes(changed)
        with pytest.raises(ResourceError):
            StyleGAN2(WeightsFile(path, kept.sha256), torch.device("cpu"))
        with pytest.raises(ResourceError, match="import it anew"):
            StyleGAN2(WeightsFile(path, sha256_of(path)), torch.device("cpu"))
