"""Small pictures: the readout, and the half of the decoder that it reads."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from experiments.image_classifier import SIDE, half_decoded, readout, small
from lacelang.api import compile
from lacelang.engine.loading import load
from lacelang.progress import Silent
from lacelang.samplers.streams import prior


def test_the_readout_finds_a_linear_map() -> None:
    random = torch.Generator().manual_seed(0)
    features = torch.randn(6, 9, 8, 8, generator=random)
    weight, bias = torch.randn(3, 9, generator=random), torch.tensor([0.1, -0.2, 0.3])
    pictures = torch.einsum("oc,nchw->nohw", weight, features) + bias[:, None, None]
    found = readout(features, pictures, count=4)
    assert torch.allclose(found["weight"], weight, atol=1e-4)
    assert torch.allclose(found["bias"], bias, atol=1e-4)
    assert float(found["explained"]) > 0.9999


def test_what_features_do_not_hold_is_not_explained() -> None:
    random = torch.Generator().manual_seed(0)
    features = torch.randn(40, 3, 8, 8, generator=random)
    noise = torch.randn(40, 3, 8, 8, generator=random)
    found = readout(features, features + noise, count=20)
    assert float(found["explained"]) == pytest.approx(0.5, abs=0.05)


def test_small_pictures_are_means_of_blocks() -> None:
    image = np.zeros((4 * SIDE, 4 * SIDE, 3), np.uint8)
    image[:4, 4:8, 1] = 255
    image[:2, :4, 0] = 255
    found = small(image)
    assert found.shape == (3, SIDE, SIDE)
    assert found[1, 0, 1] == pytest.approx(1.0)
    assert found[0, 0, 0] == pytest.approx(0.0, abs=1e-6)
    assert (found[2] == -1).all()


@pytest.mark.weights
def test_half_of_the_decoder_is_differentiable() -> None:
    model = load(compile("sample from ffhq").samples[0].model, "cpu", Silent())
    z = prior(0, range(1), 512).requires_grad_()
    features = half_decoded(model.generator.synthesis(), model.styles(z, 0.7))
    assert features.shape[2:] == (SIDE, SIDE)
    (slope,) = torch.autograd.grad(features.square().mean(), z)
    assert slope.abs().max() > 0
