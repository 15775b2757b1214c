"""The DCGANs: folded weights, the class in the latent, and the real eyes."""

from __future__ import annotations

import pytest
import torch
from test_generator_contract import WEIGHTS
from torch import nn

from lacelang.annotators.eyes import EYES
from lacelang.generators import ARCHITECTURES
from lacelang.generators.dcgan import EYE_COLORS, Z
from lacelang.generators.dcgan.networks import DCGAN
from lacelang.generators.dcgan.store import folded
from lacelang.generators.generator import Generator
from lacelang.generators.relaxed import snapped


def test_folded_weights_are_the_same_network() -> None:
    torch.manual_seed(0)
    published = nn.Sequential(
        nn.ConvTranspose2d(7, 6, 4, 1, 0, bias=False), nn.BatchNorm2d(6), nn.ReLU(), nn.Dropout(),
        nn.ConvTranspose2d(6, 5, 4, 2, 1, bias=False), nn.BatchNorm2d(5), nn.ReLU(),
        nn.ConvTranspose2d(5, 3, 4, 2, 1, bias=False), nn.Tanh(),
    )  # fmt: skip
    z = torch.randn(4, 7)
    for _ in range(3):
        published(z[:, :, None, None])  # fills the running statistics
    published.eval()
    network = DCGAN((7, 6, 5, 3))
    network.load_state_dict(folded(published.state_dict()))
    torch.testing.assert_close(network(z[:, None]), published(z[:, :, None, None]))


def test_what_is_no_dcgan_is_refused() -> None:
    state = nn.Sequential(nn.Conv2d(2, 2, 3), nn.Conv2d(2, 2, 3)).state_dict()
    with pytest.raises(ValueError, match="2 convolutions and 0 normalisations"):
        folded(state)


def test_a_snapped_class_is_one_hot_and_has_a_gradient() -> None:
    c = torch.tensor([[0.2, 0.5, 0.3]], requires_grad=True)
    hard = snapped(c)
    assert hard.tolist() == [[0.0, 1.0, 0.0]]
    hard[0, 2].backward()
    assert c.grad is not None
    assert c.grad.tolist() == [[0.0, 0.0, 1.0]]


@pytest.fixture(scope="module")
def eyes() -> Generator:
    return ARCHITECTURES["eyedcgan"].load(WEIGHTS["eyedcgan"], torch.device("cpu"), threads=1)


def _latents(count: int) -> torch.Tensor:
    return torch.randn(count, Z + len(EYE_COLORS), generator=torch.Generator().manual_seed(0))


@pytest.mark.weights
def test_truncation_leaves_the_class(eyes: Generator) -> None:
    w = eyes.mapping(_latents(5))
    near = eyes.truncate(w, 0.5)
    torch.testing.assert_close(near[:, :Z], 0.5 * w[:, :Z])
    assert torch.equal(near[:, Z:], w[:, Z:])
    torch.testing.assert_close(w[:, Z:].sum(dim=1), torch.ones(5))


@pytest.mark.weights
def test_the_generator_shows_the_class_where_g_is_largest(eyes: Generator) -> None:
    z = _latents(12)
    z[:, Z:] = -1.0
    z[:, Z + EYE_COLORS.index("blue")] = 1.0
    annotate = EYES.load()
    seen = [EYES.values(annotate(image))["color"] for image in eyes.decode(eyes.mapping(z))]
    assert seen.count(EYE_COLORS.index("blue")) >= 8
