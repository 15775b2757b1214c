"""Every sampler that is registered, held to what samplers promise."""

from __future__ import annotations

import pytest

from lacelang.samplers import SAMPLERS, Sampler
from lacelang.testing import Check
from lacelang.testing.samplers import CONTRACT

# They differ from `dopri5` and `euler` by the solver of torchdiffeq alone.
_ALIKE = ("adaptive_heun", "bosh3", "dopri8", "heun2", "heun3", "midpoint", "rk4")
_SAMPLERS = [
    pytest.param(each, id=name, marks=pytest.mark.slow if name in _ALIKE else ())
    for name, each in SAMPLERS.items()
]


@pytest.mark.parametrize("check", CONTRACT.values(), ids=CONTRACT)
@pytest.mark.parametrize("sampler", _SAMPLERS)
def test_contract(sampler: Sampler, check: Check) -> None:
    check(sampler)
