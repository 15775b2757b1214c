"""What a class derived from `Generator` must bring."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from lacelang.generators.declaration import Layout
from lacelang.generators.generator import Generator

LAYOUT = Layout(latent_dim=2, w_dim=2, style_layers=((0,),))


class Own(Generator):
    def synthesis(self) -> nn.Module:
        return nn.Identity()


def test_a_generator_without_a_network_is_refused_when_it_is_made() -> None:
    with pytest.raises(TypeError, match="Generator has no synthesis network: pass `synthesis=`"):
        Generator(LAYOUT)


def test_a_network_is_passed_or_made_by_a_method() -> None:
    assert isinstance(Own(LAYOUT).synthesis(), nn.Identity)
    w = torch.ones(1, 2)
    assert torch.equal(Generator(LAYOUT, nn.Identity()).synthesis()(w), w)
