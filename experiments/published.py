"""The paper's sampler just as published, to compare others with (LACE eq. 7)."""

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


def paper(energy: Energy, z0: Tensor) -> Solution:
    """Integrate LACE eq. 7 by one dopri5 for the whole batch, with the adjoint.

    With `separate` it is the paper's setting. No program can name it: the batch shares every step
    size, so a sample depends on its neighbours. Samples end together: one that is not finite stands
    still from there on.
    """
    run = Driver(energy, z0)
    if len(z0):
        slope = AdaptiveSlope(energy.value_and_grad, run, run.rows)
        adjoint = partial(odeint_adjoint, method="dopri5", adjoint_params=())
        solve(slope, adjoint, atol=TOLERANCE, rtol=TOLERANCE)
    return run.result()


def separate(energy: ConditionalEnergy) -> ConditionalEnergy:
    """Return the same energy with a features pass of its own for every attribute it reads.

    So the published classifiers cost: an MLP for each attribute, and the mapping network anew for
    each. Its values and gradients are those of the energy, so that solutions compare.
    """
    names = sorted({atom.attribute for atom in atoms(energy.node)}, key=str)
    return evolve(energy, features=partial(_separate, energy.features, names))


def _separate(features: Features, names: list[Key], z: Tensor) -> Outputs:
    return {name: features(z)[name] for name in names}
