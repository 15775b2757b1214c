"""Photographs are inverted: styles of which the decoder makes the same face."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from attrs import evolve
from torch.nn import functional as F

from lacelang.api import compile
from lacelang.engine.loading import load
from lacelang.errors import ResourceError
from lacelang.generators.declaration import Cut, Layout
from lacelang.generators.generator import Generator
from lacelang.inversion.encoder import GROUPS, STYLES, Head, spread
from lacelang.inversion.inverter import FaceInverter, figures, planes_of, target_of
from lacelang.inversion.inverter import load as load_inverter
from lacelang.progress import Silent
from lacelang.storage.photos import read_photo
from lacelang.system.torch_state import isolated

PHOTO = Path(__file__).parents[2] / "programs" / "me.jpg"


@pytest.fixture(scope="module")
def inverter() -> FaceInverter:
    model = load(compile("sample 1 from ffhq").samples[0].model, "cpu", Silent())
    found = model.inverter(Silent())
    assert isinstance(found, FaceInverter)
    assert model.inverter(Silent()) is found
    return found


@pytest.fixture(scope="module")
def cut(inverter: FaceInverter) -> Cut:
    return inverter.cut(read_photo(PHOTO, "me.jpg"), "me.jpg", 1)


@pytest.mark.weights
def test_a_fast_inversion_is_like_the_photograph_and_always_the_same(
    inverter: FaceInverter, cut: Cut
) -> None:
    with isolated():
        found, again = (inverter.invert(cut, fast=True) for _ in range(2))
        image = planes_of(inverter.decoded(torch.from_numpy(found.styles)[None]))
    assert found.styles.shape == (STYLES, 512)
    np.testing.assert_array_equal(found.styles, again.styles)
    assert found.figures == again.figures
    assert found.figures["psnr"] > 20
    assert found.figures["distance"] < 0.8
    # The figures are those of the decoder's own image.
    small, wanted = (
        F.interpolate(each, (256, 256), mode="area") for each in (image, planes_of(cut.image))
    )
    known = F.interpolate(torch.from_numpy(cut.known)[None, None], (256, 256), mode="area")
    error = (known * (small - wanted).square()).mean() / known.mean()
    assert float(10 * torch.log10(4 / error)) == pytest.approx(found.figures["psnr"], abs=0.01)


@pytest.mark.weights
@pytest.mark.slow
def test_refinement_makes_it_more_like(inverter: FaceInverter, cut: Cut) -> None:
    with isolated():
        fast, whole = (inverter.invert(cut, fast=each) for each in (True, False))
    assert whole.steps > fast.steps > 0
    assert whole.figures["psnr"] > max(26.0, fast.figures["psnr"] + 2.0)
    assert whole.figures["distance"] < 0.7 * fast.figures["distance"]


@pytest.mark.weights
def test_what_the_photograph_does_not_show_changes_nothing(
    inverter: FaceInverter, cut: Cut
) -> None:
    known = cut.known.copy()
    known[:, :200] = 0.0
    other = cut.image.copy()
    other[:, :199] = 0
    target, same = (target_of(evolve(cut, image=each, known=known)) for each in (cut.image, other))
    networks = inverter._networks
    image = planes_of(cut.image)
    with isolated():
        a, b = (figures(image, each, networks.maps, networks.encoder) for each in (target, same))
    assert a["psnr"] > 70
    assert a["distance"] == pytest.approx(0.0, abs=1e-6)
    # Maps see a little beyond their place.
    assert b["psnr"] > 35
    assert b["distance"] < 0.2


def test_the_encoder_is_of_one_generator() -> None:
    layout = Layout(4, 4, ((0,),))
    with pytest.raises(ResourceError, match="MobileStyleGAN"):
        load_inverter(Generator(layout, torch.nn.Identity()), Silent())


def test_groups_become_styles() -> None:
    groups = torch.arange(len(GROUPS)).float()[None, :, None].expand(2, -1, 512)
    styles = spread(groups)
    assert styles.shape == (2, STYLES, 512)
    assert styles[0, :, 0].tolist() == [0.0] * 4 + [1.0] * 3 + [2.0] * 3 + [3.0] * 13


def test_a_head_begins_with_one_answer_for_all_groups() -> None:
    torch.manual_seed(0)
    head = Head().eval()
    maps = torch.randn(2, 152, 14, 14), torch.randn(2, 320, 7, 7), torch.randn(2, 3, 8, 8)
    found = head(maps)
    assert found.shape == (2, len(GROUPS), 512)
    torch.testing.assert_close(found, found[:, :1].expand_as(found))
    assert not torch.allclose(found[0], found[1])


def test_a_target_is_of_256_pixels() -> None:
    image = np.full((512, 512, 3), 255, np.uint8)
    target = target_of(Cut(image, np.ones((512, 512), np.float32), np.eye(3, 2)))
    assert target.image.shape == (1, 3, 256, 256)
    assert float(target.image.min()) == 1.0
    assert target.known.shape == (1, 1, 256, 256)


@pytest.mark.weights
def test_the_encoder_sees_which_w_an_image_is_of(inverter: FaceInverter) -> None:
    generator = load(compile("sample 1 from ffhq").samples[0].model, "cpu", Silent()).generator
    z = torch.randn(3, 512, generator=torch.Generator().manual_seed(8))
    with isolated(), torch.no_grad():
        w = generator.truncate(generator.mapping(z), 0.7)
        images = torch.cat([planes_of(image) for image in generator.decode(w)])
        found, wanted = inverter.seen(images), generator.whiten(w)
        alike = F.normalize(found, dim=1) @ F.normalize(wanted, dim=1).T
    assert alike.argmax(1).tolist() == [0, 1, 2]
    # Of 512 whitened directions most hardly show; two unrelated w are within 0.1.
    assert float(alike.diagonal().min()) > 0.15
    small = images[:1].requires_grad_()
    (slope,) = torch.autograd.grad(inverter.seen(small).square().sum(), small)
    assert slope.abs().sum() > 0
