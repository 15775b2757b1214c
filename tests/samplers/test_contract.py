"""Every sampler that is registered, held to what samplers promise."""

from __future__ import annotations

import pytest

from lacelang.samplers import SAMPLERS, Sampler
from lacelang.testing import Check
from lacelang.testing.samplers import CONTRACT


@pytest.mark.parametrize("check", CONTRACT.values(), ids=CONTRACT)
@pytest.mark.parametrize("sampler", SAMPLERS.values(), ids=lambda sampler: sampler.name)
def test_contract(sampler: Sampler, check: Check) -> None:
    check(sampler)
