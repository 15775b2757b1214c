"""What the tests of the laboratory share."""

from __future__ import annotations

import pytest
import torch

from experiments.laboratory.data import Pictures


@pytest.fixture
def data() -> Pictures:
    random = torch.Generator().manual_seed(0)
    pixels = torch.randint(256, (40, 1, 32, 32), generator=random).to(torch.uint8)
    return Pictures(pixels, torch.arange(40) % 10)
