"""Flows stay where the prior is at home, and report the condition's energy alone."""

from __future__ import annotations

import pytest
import torch
from scipy.stats import norm

import lacelang
from lacelang.cli.models import find_model
from lacelang.energy import Surprisal
from lacelang.engine.loading import load
from lacelang.engine.sampling import aims_of
from lacelang.generators.generator import Generator, atypicality
from lacelang.progress import Silent
from lacelang.samplers import SAMPLERS
from lacelang.samplers.streams import Streams, prior

pytestmark = pytest.mark.weights

CONDITION = "glasses=1 and smile=0 and age=10"


@pytest.fixture(scope="module")
def generator() -> Generator:
    return load(find_model("ffhq"), "cpu", Silent()).generator


def test_prior_draws_are_typical(generator: Generator) -> None:
    z = torch.randn(2000, 512, generator=torch.Generator().manual_seed(9))
    found = atypicality(generator.whiten(generator.mapping(z)))
    # Mean and spread of 2000 draws with a spread of 0.26 and a long tail: five standard errors.
    assert abs(float(found.mean()) - 1.0) < 5 * 0.26 / 2000**0.5
    assert float(found.std()) == pytest.approx(0.26, abs=5 * 0.007)


def test_the_bound_is_as_soft_as_is_said() -> None:
    """-log Phi((bound - a) / 0.05) of the atypicality a, and nothing else, beside the condition."""
    model = load(find_model("ffhq"), "cpu", Silent())
    program = lacelang.compile(
        f"sample from ffhq where {CONDITION} with heun(typical=1.1, slack=0)"
    )
    target = aims_of(program.samples[0], model)(Surprisal("glasses", {1}))
    z = prior(5, range(400), 512)
    found = atypicality(model.generator.whiten(model.generator.mapping(z))).double()
    assert found.min() < 0.9
    assert found.max() > 1.4
    added = (target.regularised(z) - target.condition(z)).double()
    expected = -norm.logcdf((1.1 - found.numpy()) / 0.05)
    assert torch.allclose(added, torch.from_numpy(expected), rtol=1e-3, atol=1e-3)


def test_a_flow_stops_where_each_term_holds_well_enough() -> None:
    source = "sample 6 from ffhq where glasses=1 and smile=0 seed 4 with exponential(slack={}) as x"
    found = {}
    for slack in (0, 0.1):
        program = lacelang.compile(source.format(slack))
        group = program.run()["x"]
        # What is reported is the condition's own energy.
        assert torch.allclose(group.energy, program.energy("x")(group.latents), atol=1e-3)
        found[slack] = torch.stack(list(group.readings.values()))
    assert (found[0.1] <= found[0] + 1e-3).all()
    assert (found[0.1] > 0.85).all()
    assert found[0.1].mean() < 0.96 < 0.99 < found[0].mean()


@pytest.mark.parametrize("sampler", [pytest.param("heun", marks=pytest.mark.slow), "exponential"])
def test_flow_is_bounded(generator: Generator, sampler: str) -> None:
    def reached(options: str) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        program = lacelang.compile(
            f"sample 3 from ffhq where {CONDITION} seed 4 with {sampler}(time=15{options}) as x"
        )
        group = program.run()["x"]
        found = atypicality(generator.whiten(generator.mapping(group.latents)))
        return found, group.energy, program.energy("x")(group.latents)

    bounded, energy, condition = reached("")
    assert float(bounded.max()) < 1.2 + 3 * 0.05
    # The bound is no part of the energy that is reported.
    assert torch.allclose(energy, condition.detach(), atol=1e-3)
    free, _, _ = reached(", typical=0")
    assert float(free.max()) > 1.5


def test_exact_samplers_sample_the_condition_and_nothing_else() -> None:
    source = "sample 3 from ffhq where glasses=1 seed 4 with {} as x"
    for name in ("rejection", "mala(steps=5, warmup=5)", "smc(particles=4, moves=1)"):
        program = lacelang.compile(source.format(name))
        options = program.samples[0].sampler.options
        sampler = SAMPLERS[name.partition("(")[0]]
        alone = sampler(
            program.energy("x"),
            prior(4, range(3), 512),
            streams=Streams(4, range(3)),
            **options,
        )
        assert torch.equal(program.run()["x"].latents, alone.z)
