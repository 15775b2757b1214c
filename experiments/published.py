"""The paper's sampler as published, for comparison (LACE eq. 7)."""

from __future__ import annotations

from functools import partial

from attrs import evolve
from torch import Tensor
from torchdiffeq import odeint_adjoint

from lacelang.energy import ConditionalEnergy, Features, Key, Outputs, atoms
from lacelang.samplers.driver import Driver
from lacelang.samplers.problem import Energy
from lacelang.samplers.solution import Solution
from lacelang.samplers.torchdiffeq_solvers.algorithm import AdaptiveSlope, solve

TOLERANCE = 1e-3


def paper(energy: Energy, z0: Tensor, atol: float = TOLERANCE, rtol: float = TOLERANCE) -> Solution:
    """Integrate LACE eq. 7 with one dopri5 for the whole batch, with the adjoint method.

    With `separate` it is the paper's setting. It is not available in programs: the batch shares
    every step size, so a sample depends on the rest of the batch. All samples end together; a
    sample that is not finite does not move any further.
    """
    run = Driver(energy, z0)
    if len(z0):
        slope = AdaptiveSlope(energy.value_and_grad, run, run.rows)
        adjoint = partial(odeint_adjoint, method="dopri5", adjoint_params=())
        solve(slope, adjoint, atol=atol, rtol=rtol)
    return run.result()


def separate(energy: ConditionalEnergy) -> ConditionalEnergy:
    """Return the same energy with a separate pass of the features for every attribute.

    This is the cost of the published classifiers: one MLP and one evaluation of the mapping network
    per attribute. Values and gradients do not change, so solutions can be compared.
    """
    names = sorted({atom.attribute for atom in atoms(energy.node)}, key=str)
    return evolve(energy, features=partial(_separate, energy.features, names))


def _separate(features: Features, names: list[Key], z: Tensor) -> Outputs:
    return {name: features(z)[name] for name in names}
