"""Sampling Latent-JEM, a baseline: Langevin dynamics on the joint energy of its own classifiers.

`lacelang train MODEL --latent-jem` trains those; see `lacelang.classifiers.latent_jem`.
"""

from __future__ import annotations

from attrs import evolve
from torch import Tensor

from experiments.codes import Drawn
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
"""What the logits add to the prior's energy."""
STEPS = 100


def with_jem(spec: ir.ModelSpec) -> ir.ModelSpec:
    """The model with Latent-JEM's classifiers, which must have been trained beside its own."""
    path = classifiers_of(spec).with_suffix(".jem.safetensors")
    if not path.is_file():
        raise ResourceError(
            f"there are no classifiers of Latent-JEM at {path}",
            f"train them: lacelang train {spec.name} --latent-jem --out {path.name}",
        )
    return evolve(spec, classifiers=path.name)


def joint_energy(statement: ir.SampleStatement, model: Model) -> ConditionalEnergy:
    """-log p(c, z) up to a constant and the prior's part (LACE A.4).

    The conditional energy and the marginal one of z; attributes that the condition does not speak
    of are summed out, in which their logits' logsumexp is left.
    """
    features = model.features(statement.truncation)

    def with_marginal(z: Tensor) -> Outputs:
        outputs = features(z)
        return {**outputs, MARGINAL: marginal(outputs)}

    node = conjunction([compile_condition(statement, model), Penalty(MARGINAL, 1.0)])
    return ConditionalEnergy(with_marginal, node)


def solve(statement: ir.SampleStatement, model: Model, step: float) -> Solution:
    """Sample a statement by Langevin dynamics of `STEPS` steps from draws of the prior.

    As in LACE-LD the paper chooses the noise apart from the step; how, its text has lost. Here it
    is sqrt(2 step), with which the chain samples the joint energy, and which training used.
    """
    seed, indices = statement.seed or 0, range(statement.count)
    z0 = prior(seed, indices, model.generator.latent_dim)
    energy, streams = joint_energy(statement, model), Streams(seed, indices)
    with one_thread():
        return SAMPLERS["langevin"](energy, z0, steps=STEPS, step=step, streams=streams)


def draw(statement: ir.SampleStatement, model: Model, step: float) -> Drawn:
    """Faces of a statement; see `solve`."""
    solution = solve(statement, model, step)
    failed = sum(status is not Status.converged for status in solution.status)
    return Drawn(Draws.at(solution.z.numpy(), statement.truncation), failed)
