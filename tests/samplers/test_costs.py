"""What a flow costs: one slope a step, and no memory that grows with steps."""

from __future__ import annotations

import gc
from collections.abc import Callable

import pytest
import torch

from lacelang.energy import ConditionalEnergy, Outputs
from lacelang.samplers import SAMPLERS
from lacelang.samplers.solution import Solution
from lacelang.samplers.streams import Streams, prior
from lacelang.testing.targets import RIDGES

RIDGE = RIDGES["logistic"]
LOOKS = 12

FEW = ("heun", "exponential", "dopri5", "euler", "langevin", "pc")
LONG: dict[str, dict[str, float]] = {
    "heun": {"tolerance": 3e-5},
    "exponential": {"tolerance": 4e-6},
    "dopri5": {"atol": 1e-7, "rtol": 1e-7},
}


def draw(
    name: str, features: Callable[[torch.Tensor], Outputs] = RIDGE.features, **options: float
) -> Solution:
    z0 = prior(2, range(4), RIDGE.dim)
    energy = ConditionalEnergy(features, RIDGE.node)
    return SAMPLERS[name](energy, z0, streams=Streams(2, range(4)), **options)


@pytest.mark.parametrize("name", ["heun", "exponential"])
def test_the_last_slope_of_a_step_is_the_first_of_the_next(name: str) -> None:
    """One evaluation at the start, one for each step whole or cut, and the energy at the end."""
    stats = draw(name).stats
    assert (stats.accepted > 3).all()
    assert torch.equal(stats.nfe, stats.accepted + stats.rejected + 2)


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=pytest.mark.slow if n in ("heun", "euler", "pc") else ()) for n in FEW],
)
def test_no_graph_is_kept_and_memory_does_not_grow(name: str) -> None:
    """As many tensors are alive in the second half of a run as were in the first."""
    calls, every = 0, 1_000_000
    found: list[int] = []

    def features(z: torch.Tensor) -> Outputs:
        nonlocal calls
        calls += 1
        if calls % every == 0:
            found.append(sum(issubclass(type(x), torch.Tensor) for x in gc.get_objects()))
        return RIDGE.features(z)

    draw(name, features, **LONG.get(name, {}))
    calls, every = 0, calls // LOOKS
    assert every > 1
    solution = draw(name, features, **LONG.get(name, {}))
    half = len(found) // 2
    # A look may fall on another stage of a step, where a few more tensors are at work.
    assert max(found[half:]) <= max(found[:half]) + every // 2
    assert not solution.z.requires_grad
    assert not solution.energy.requires_grad
