"""What every sampler promises, as checks: each takes a sampler and raises an AssertionError."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from lacelang.energy import ConditionalEnergy
from lacelang.samplers import Option, Sampler
from lacelang.samplers.problem import Energy
from lacelang.samplers.solution import Solution, Status
from lacelang.samplers.streams import Streams, prior
from lacelang.testing import Contract, refused
from lacelang.testing.targets import RIDGES, Ridge

CONTRACT = Contract()

SEED = 7
RIDGE = RIDGES["linear-Gaussian"]
_Z_SCORE = 5.0


def draw(sampler: Sampler, energy: Energy, indices: range, dim: int, **options: Any) -> Solution:
    """Return what a sampler makes of the prior draws with some indices."""
    z0 = prior(SEED, indices, dim)
    return sampler(energy, z0, streams=Streams(SEED, indices), **options)


@CONTRACT
def it_says_what_its_options_are(sampler: Sampler) -> None:
    """Defaults lie within limits; every option has a line of help; presets set known options."""
    assert sampler.name.isidentifier()
    assert sampler.doc
    values = sampler.complete({})
    for option in sampler.options:
        assert option.doc
        assert option.low <= option.high
        assert option.name in values, f"`{option.name}` has neither a default nor a derived value"
        assert option.low <= values[option.name] <= option.high
        assert not option.whole or float(values[option.name]).is_integer()
    for preset in sampler.presets.values():
        assert set(preset) <= {option.name for option in sampler.options}


@CONTRACT
def it_meets_the_condition(sampler: Sampler) -> None:
    """Energies fall from the prior's, and all that is returned is finite and counted."""
    before = RIDGE.energy(prior(SEED, range(32), RIDGE.dim)).median()
    solution = draw(sampler, RIDGE.energy, range(32), RIDGE.dim)
    assert solution.z.shape == (32, RIDGE.dim)
    assert solution.z.isfinite().all()
    assert solution.energy.isfinite().all()
    assert torch.equal(solution.energy, RIDGE.energy(solution.z))
    assert solution.energy.median() < before
    assert set(solution.status) == {Status.converged}
    assert (solution.stats.nfe > 0).all()


@CONTRACT
def exact_samplers_draw_from_the_posterior(sampler: Sampler) -> None:
    """Mean and variance of e^-E times the prior, known in closed form by quadrature."""
    if not sampler.exact:
        return
    count = 200
    x = RIDGE.along(draw(sampler, RIDGE.energy, range(count), RIDGE.dim).z).double()
    mean = RIDGE.mean(RIDGE.grid)
    variance = RIDGE.mean((RIDGE.grid - mean) ** 2)
    # Chains of finite length and weights of particles leave a little beyond the noise.
    assert abs(x.mean() - mean) < _Z_SCORE * (variance / count) ** 0.5 + 0.02
    assert abs(x.var() / variance - 1.0) < _Z_SCORE * (2.0 / count) ** 0.5 + 0.05


@CONTRACT
def a_sample_is_the_same_in_any_batch(sampler: Sampler) -> None:
    """Bit for bit: alone, among others, in another order, and again."""
    whole = draw(sampler, RIDGE.energy, range(6), RIDGE.dim)
    again = draw(sampler, RIDGE.energy, range(6), RIDGE.dim)
    assert torch.equal(whole.z, again.z)
    for indices in (range(1), range(3, 6)):
        part = draw(sampler, RIDGE.energy, indices, RIDGE.dim)
        rows = slice(indices.start, indices.stop)
        assert torch.equal(part.z, whole.z[rows])
        assert torch.equal(part.energy, whole.energy[rows])
        assert part.status == whole.status[rows]
        assert torch.equal(part.stats.nfe, whole.stats.nfe[rows])
        for row, index in enumerate(indices):
            assert repr(part.trace.of_row(row)) == repr(whole.trace.of_row(index))


@CONTRACT
def no_samples_are_no_samples(sampler: Sampler) -> None:
    """An empty batch is returned as one."""
    solution = draw(sampler, RIDGE.energy, range(0), RIDGE.dim)
    assert solution.z.shape == (0, RIDGE.dim)
    assert solution.status == ()


@CONTRACT
def a_sample_that_is_not_finite_leaves_the_others_alone(sampler: Sampler) -> None:
    """A sample that meets nothing but NaN is `non_finite`; its neighbours are what they were."""
    lost = 2
    z0 = prior(SEED, range(5), RIDGE.dim)
    z0[lost, 0] = 1e3
    energy = _broken(RIDGE)
    kept = [row for row in range(5) if row != lost]
    among = sampler(energy, z0, streams=Streams(SEED, range(5)))
    without = sampler(energy, z0[kept], streams=Streams(SEED, kept))
    assert among.z.isfinite().all()
    if among.status[lost] is Status.converged:
        # Some samplers start again from another draw of the prior.
        assert among.energy[lost].isfinite()
    else:
        assert among.status[lost] in (Status.non_finite, Status.stuck, Status.max_tries)
    assert torch.equal(among.z[kept], without.z)


@CONTRACT
def options_at_their_limits(sampler: Sampler) -> None:
    """With the least value of every option there is a status and a finite latent."""
    for option in sampler.options:
        if option.of_target:
            continue
        solution = draw(sampler, RIDGE.energy, range(2), RIDGE.dim, **{option.name: least(option)})
        assert len(solution.status) == 2
        assert solution.z.isfinite().all(), f"{option.name}={least(option)}"


@CONTRACT
def progress_ends_at_one_and_may_interrupt(sampler: Sampler) -> None:
    """Shares rise to 1, and what `on_step` raises leaves the sampler."""
    shares: list[float] = []
    draw(sampler, RIDGE.energy, range(3), RIDGE.dim, on_step=shares.append)
    assert shares == sorted(shares)
    assert abs(shares[-1] - 1.0) < 1e-6

    def interrupt(share: float) -> None:
        raise KeyboardInterrupt

    with refused(KeyboardInterrupt, "what `on_step` raised"):
        draw(sampler, RIDGE.energy, range(3), RIDGE.dim, on_step=interrupt)


def least(option: Option) -> float | int:
    """Return about the least value that an option takes, of tolerances one that ends soon."""
    if option.whole:
        return int(option.low)
    if option.above or option.least:
        return max(option.least, option.low + 1e-2 * (min(option.high, 1.0) - option.low))
    return option.low


def _broken(ridge: Ridge) -> ConditionalEnergy:
    """An energy that is NaN far out along the first coordinate."""

    def features(z: Tensor) -> dict[str, Tensor]:
        outputs = dict(ridge.features(z))
        wrong = (z[:, 0] > 100.0).to(z) / 0.0 * 0.0
        return {
            name: head + (wrong if head.ndim == 1 else wrong[:, None])
            for name, head in outputs.items()
        }

    return ConditionalEnergy(features, ridge.node)
