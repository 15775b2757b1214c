"""Sampling of the baseline Latent-JEM: Langevin dynamics on the joint energy of its classifiers.

`lacelang train MODEL --latent-jem` trains them; see `lacelang.classifiers.latent_jem`.
"""

from __future__ import annotations

from attrs import evolve
from torch import Tensor

from experiments.codes import Drawn
from experiments.statements import seed_of
from lacelang import ir
from lacelang.classifiers.draws import Draws
from lacelang.classifiers.latent_jem import marginal
from lacelang.energy import ConditionalEnergy, Outputs, Penalty, Quantity, conjunction
from lacelang.engine.loading import Model, classifiers_of
from lacelang.engine.sampling import compile_condition
from lacelang.errors import ResourceError
from lacelang.samplers import SAMPLERS
from lacelang.samplers.solution import Solution, Status
from lacelang.samplers.streams import Streams, prior
from lacelang.system.torch_state import one_thread

MARGINAL = Quantity("latent marginal")
"""The logits' part of the energy of the latents."""
STEPS = 100


def with_jem(spec: ir.ModelSpec) -> ir.ModelSpec:
    """Return the model with Latent-JEM's classifiers, which must have been trained already."""
    path = classifiers_of(spec).with_suffix(".jem.safetensors")
    if not path.is_file():
        raise ResourceError(
            f"there are no classifiers of Latent-JEM at {path}",
            f"train them: lacelang train {spec.name} --latent-jem --out {path.name}",
        )
    return evolve(spec, classifiers=path.name)


def joint_energy(statement: ir.SampleStatement, model: Model) -> ConditionalEnergy:
    """Return -log p(c, z) up to a constant and without the prior's part (LACE A.4).

    It is the sum of the conditional energy and the marginal energy of z. Attributes that the
    condition does not mention are summed out, which leaves the logsumexp of their logits.
    """
    features = model.features(statement.truncation)

    def with_marginal(z: Tensor) -> Outputs:
        outputs = features(z)
        return {**outputs, MARGINAL: marginal(outputs)}

    node = conjunction([compile_condition(statement, model), Penalty(MARGINAL, 1.0)])
    return ConditionalEnergy(with_marginal, node)


def solve(statement: ir.SampleStatement, model: Model, step: float) -> Solution:
    """Sample a statement by Langevin dynamics of `STEPS` steps from draws of the prior.

    In the paper, as in LACE-LD, the noise is independent of the step size; its value is not in
    the text. Here it is sqrt(2 step), as in training, so the chain samples the joint energy.
    """
    seed, indices = seed_of(statement), range(statement.count)
    z0 = prior(seed, indices, model.generator.latent_dim)
    energy, streams = joint_energy(statement, model), Streams(seed, indices)
    with one_thread():
        return SAMPLERS["langevin"](energy, z0, steps=STEPS, step=step, streams=streams)


def draw(statement: ir.SampleStatement, model: Model, step: float) -> Drawn:
    """Return faces of a statement; see `solve`."""
    solution = solve(statement, model, step)
    failed = sum(status is not Status.converged for status in solution.status)
    return Drawn(Draws.at(solution.z.numpy(), statement.truncation), failed)
