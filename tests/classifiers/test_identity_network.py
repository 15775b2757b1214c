"""The network of identity: where the crop is, what is projected out, and its file."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from lacelang.classifiers.identity import HELD, SIDE, IdentityNetwork
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
    made = IdentityNetwork(generator())
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.copy_(0.05 * torch.randn(parameter.shape, generator=random))
        made.places.copy_(1e-4 * torch.randn(10, DIM, generator=random))
    return made.requires_grad_(False).eval()


def styles(count: int = 2) -> torch.Tensor:
    w = torch.randn(count, 1, DIM, generator=torch.Generator().manual_seed(2))
    return w.expand(-1, STYLES, -1)


def decoded(seed: int) -> torch.Tensor:
    """A decoder's image, uint8 (H, W, 3), which is nothing like the small ones."""
    colours = torch.randint(0, 256, (8, 8, 3), generator=torch.Generator().manual_seed(seed))
    return colours.to(torch.uint8).repeat_interleave(32, 0).repeat_interleave(32, 1)


class Coarse(nn.Module):
    """A recogniser that sees brightness in a grid."""

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        return F.adaptive_avg_pool2d(crops.mean(dim=1, keepdim=True), 16).flatten(1)


def test_descriptors_have_length_one(network: IdentityNetwork) -> None:
    at = styles()
    assert torch.allclose(network.described(at).norm(dim=1), torch.ones(2), atol=1e-5)
    seen = network.seen(network.images(at), at)
    assert seen.shape == (8, FEATURES)
    assert torch.allclose(seen.norm(dim=1), torch.ones(8), atol=1e-5)


def test_a_face_is_like_itself_as_the_decoder_shows_it(network: IdentityNetwork) -> None:
    own: nn.Module = network.recogniser
    network._modules["recogniser"] = Coarse()
    try:
        one, other = styles()[:1], styles()[1:]
        same = float(network.unlike(one, decoded(1), one, decoded(1))(one))
        changed = float(network.unlike(one, decoded(1), other, decoded(2))(other))
        again = float(network.unlike(one, decoded(1), other, decoded(1))(other))
    finally:
        network._modules["recogniser"] = own
    # The views of one image differ a little from their mean.
    assert 0.0 < same < 0.8 * changed < 2.0
    # Small images count by their change alone: at the styles after the edit, it is the decoder's.
    assert abs(again - same) < 0.2 * changed


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


def test_what_is_held_costs_by_its_squared_change(network: IdentityNetwork) -> None:
    one, other = styles()[:1], styles()[1:]
    ends = one, decoded(1), one, decoded(1)

    def brightness(images: torch.Tensor) -> torch.Tensor:
        return torch.stack([images.mean(dim=(1, 2, 3)), images.square().mean(dim=(1, 2, 3))], 1)

    plain, held = network.unlike(*ends), network.unlike(*ends, brightness)
    assert float(held(one)) == pytest.approx(float(plain(one)), abs=1e-6)
    lacking = network._small[0](other, SIDE) - network._small[0](one, SIDE)
    image = F.interpolate(
        decoded(1).permute(2, 0, 1)[None].float() / 127.5 - 1.0, (SIDE, SIDE), mode="area"
    )
    change = brightness(image + lacking) - brightness(image)
    wanted = HELD * float(change.square().sum())
    assert wanted > 1e-6
    assert float(held(other)) - float(plain(other)) == pytest.approx(wanted, rel=0.05, abs=1e-6)


def test_it_can_be_descended(network: IdentityNetwork) -> None:
    at = styles(1).clone().requires_grad_()
    image = decoded(1)
    (slope,) = torch.autograd.grad(network.unlike(styles()[1:], image, styles(1), image)(at), at)
    assert bool(slope.isfinite().all())
    assert bool(slope.any())


def test_a_file_gives_the_same_network_again(network: IdentityNetwork, tmp_path: Path) -> None:
    path = tmp_path / "who.safetensors"
    network.save(path, {"faces": 3})
    loaded = IdentityNetwork.load(path, generator(), network.recogniser)
    assert path.stat().st_size < 500_000  # the recogniser's weights are not in it
    assert (
        F.cosine_similarity(loaded.described(styles()), network.described(styles())).min() > 0.999
    )
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
