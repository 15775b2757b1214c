"""The network of identity: where the crop is, what is projected out, and its file."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from lacelang.classifiers.identity import IdentityNetwork
from lacelang.classifiers.mobileface import CROP, FEATURES, MobileFace
from lacelang.errors import ResourceError
from lacelang.generators.generator import Generator
from lacelang.generators.mobilestylegan import DIM, LAYOUT
from lacelang.generators.mobilestylegan.networks import STYLES, SynthesisNetwork


def generator() -> Generator:
    """A generator with random weights, small enough that nothing overflows."""
    random = torch.Generator().manual_seed(0)
    synthesis = SynthesisNetwork()
    with torch.no_grad():
        for parameter in synthesis.parameters():
            parameter.copy_(0.05 * torch.randn(parameter.shape, generator=random))

    return Generator(LAYOUT, synthesis)


@pytest.fixture(scope="module")
def network() -> IdentityNetwork:
    random = torch.Generator().manual_seed(1)
    made = IdentityNetwork(generator(), 3)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.copy_(0.05 * torch.randn(parameter.shape, generator=random))
        directions = torch.randn(FEATURES, 3, generator=random)
        made.explained.copy_(torch.linalg.qr(directions).Q.T)
        made.places.copy_(1e-4 * torch.randn(10, DIM, generator=random))
    return made.requires_grad_(False).eval()


def styles(count: int = 2) -> torch.Tensor:
    w = torch.randn(count, 1, DIM, generator=torch.Generator().manual_seed(2))
    return w.expand(-1, STYLES, -1)


def test_descriptors_have_length_one_and_no_part_that_attributes_explain(
    network: IdentityNetwork,
) -> None:
    found = network(styles())
    assert found.shape == (2, FEATURES)
    assert torch.allclose(found.norm(dim=1), torch.ones(2), atol=1e-5)
    assert (found @ network.explained.T).abs().max() < 1e-5


def test_the_crop_puts_landmarks_where_the_recogniser_expects_them(
    network: IdentityNetwork,
) -> None:
    """A similarity of the template is undone exactly; here turned, shrunk and moved."""
    turned = torch.tensor([[0.96, -0.28], [0.28, 0.96]]) * 0.7
    placed = network.template @ turned.T + torch.tensor([0.1, 0.2])
    before = network.points.clone(), network.places.clone()
    network.points.copy_(placed.flatten())
    network.places.zero_()
    grid = (network._grid(styles(1))[0] + 1) / 2
    network.points.copy_(before[0])
    network.places.copy_(before[1])
    for mark, place in zip(network.template, placed, strict=True):
        column, row = (mark * CROP - 0.5).tolist()
        # The crop's pixel at the landmark, between the four around it.
        x, y = int(column), int(row)
        right, down = column - x, row - y
        top = grid[y, x] * (1 - right) + grid[y, x + 1] * right
        bottom = grid[y + 1, x] * (1 - right) + grid[y + 1, x + 1] * right
        assert torch.allclose(top * (1 - down) + bottom * down, place, atol=1e-4)


def test_it_can_be_descended(network: IdentityNetwork) -> None:
    at = styles(1).clone().requires_grad_()
    (slope,) = torch.autograd.grad(network(at)[:, 0].sum(), at)
    assert bool(slope.isfinite().all())
    assert bool(slope.any())


def test_a_file_gives_the_same_network_again(network: IdentityNetwork, tmp_path: Path) -> None:
    path = tmp_path / "who.safetensors"
    network.save(path, {"faces": 3})
    loaded = IdentityNetwork.load(path, generator(), network.recogniser)
    assert path.stat().st_size < 500_000  # the recogniser's weights are not in it
    assert F.cosine_similarity(loaded(styles()), network(styles())).min() > 0.999
    assert not any(parameter.requires_grad for parameter in loaded.parameters())


@pytest.mark.parametrize("content", [b"", b"no weights at all"], ids=["empty", "text"])
def test_a_damaged_file_is_reported(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "who.safetensors"
    path.write_bytes(content)
    with pytest.raises(ResourceError, match="damaged"):
        IdentityNetwork.load(path, generator())


def test_a_recogniser_tells_images_apart() -> None:
    torch.manual_seed(0)
    network = MobileFace().eval()
    crops = torch.rand(2, 3, CROP, CROP) * 255
    with torch.no_grad():
        a, b = network(crops)
    assert a.shape == (FEATURES,)
    assert not torch.allclose(a, b)
