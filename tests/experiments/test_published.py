"""The paper's sampler as published: the flow it follows, and what its energy costs."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from experiments.published import paper, separate
from lacelang.energy import ConditionalEnergy, NormalAt, Outputs, Surprisal, conjunction
from lacelang.samplers.schedule import HORIZON
from lacelang.samplers.solution import Status
from lacelang.samplers.streams import prior
from lacelang.testing.targets import Quadratic

DIM = 8
TARGET = Quadratic(torch.logspace(-2, 1, DIM, dtype=torch.float64))
Z0 = prior(7, range(12), DIM).double()


class Lost(Quadratic):
    """A target that is NaN everywhere."""

    def __call__(self, z: Tensor, *args: Tensor) -> Tensor:
        return super().__call__(z) * math.nan


def test_the_paper_s_setting_follows_the_flow_with_one_step_size_for_all() -> None:
    solution = paper(TARGET, Z0)
    error = (solution.z - TARGET.flow(Z0, HORIZON)).square().mean(dim=1).sqrt().max()
    assert error < 0.05
    assert set(solution.status) == {Status.converged}
    assert len(set(solution.stats.nfe.tolist())) == 1
    alone = paper(TARGET, Z0[:1])
    assert not torch.equal(alone.z, solution.z[:1])  # which is why no program can name it
    lost = paper(Lost(TARGET.stiffness), Z0)
    assert set(lost.status) == {Status.non_finite}
    assert torch.equal(lost.z, Z0)


def test_separate_heads_are_the_same_energy_at_a_pass_for_each_attribute() -> None:
    passes = 0

    def heads(z: Tensor) -> Outputs:
        nonlocal passes
        passes += 1
        return {"smile": torch.tanh(z[:, :2]), "age": 30.0 * z[:, 2]}

    node = conjunction(
        [Surprisal("smile", {1}), NormalAt("age", 1.0, 1.0), Surprisal("smile", {0})]
    )
    energy = ConditionalEnergy(heads, node)
    value, gradient = energy.value_and_grad(Z0)
    assert passes == 1
    of_separate, slope = separate(energy).value_and_grad(Z0)
    assert passes == 1 + 2
    assert torch.equal(of_separate, value)
    assert torch.allclose(slope, gradient)
