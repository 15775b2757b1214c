"""Rejection, MALA, HMC and SMC against posteriors that quadrature knows."""

from __future__ import annotations

import gc
import math
from collections.abc import Callable

import pytest
import torch
from doubles import Broken
from laws import Z_SCORE, check_law

from lacelang.energy import Node, NormalAt
from lacelang.errors import UsageError
from lacelang.samplers import SAMPLERS, Sampler
from lacelang.samplers.problem import Energy, Target
from lacelang.samplers.smc.algorithm import _effective
from lacelang.samplers.solution import Solution, Status
from lacelang.samplers.streams import Streams, prior
from lacelang.testing.targets import RIDGES, Quadratic, Ridge

hmc = SAMPLERS["hmc"]
hybrid = SAMPLERS["hybrid"]
mala = SAMPLERS["mala"]
rejection = SAMPLERS["rejection"]
smc = SAMPLERS["smc"]

COUNT = 800
SEED = 6
EVERY_RIDGE = pytest.mark.parametrize("ridge", RIDGES.values(), ids=RIDGES.keys())
ONE_MODE = pytest.mark.parametrize("name", ["linear-Gaussian", "logistic"])

EXACT = [sampler for sampler in SAMPLERS.values() if sampler.exact]
ALL = pytest.mark.parametrize("sampler", EXACT, ids=lambda sampler: sampler.name)


def draw(
    sampler: Sampler,
    ridge: Ridge,
    count: int = COUNT,
    regularised: Energy | None = None,
    **options: float,
) -> Solution:
    target = Target(ridge.energy, regularised or ridge.energy)
    z0 = prior(SEED, range(count), ridge.dim)
    return sampler(target, z0, streams=Streams(SEED, range(count)), **options)


def test_the_quadrature_agrees_with_the_closed_form() -> None:
    """Of a normal condition on a normal: precision 1 + 1/s^2, evidence a normal density."""
    ridge, centre, s = RIDGES["linear-Gaussian"], 1.5, 0.5
    mean = centre / (1 + s * s)
    assert ridge.mean(ridge.grid) == pytest.approx(mean, rel=1e-6)
    assert ridge.mean((ridge.grid - mean) ** 2) == pytest.approx(s * s / (1 + s * s), rel=1e-6)
    evidence = s / math.sqrt(1 + s * s) * math.exp(-(centre**2) / (2 * (1 + s * s)))
    assert ridge.evidence == pytest.approx(evidence, rel=1e-6)


@EVERY_RIDGE
def test_rejection_samples_the_posterior(ridge: Ridge) -> None:
    solution = draw(rejection, ridge, 4000)
    assert set(solution.status) == {Status.converged}
    check_law(ridge, solution.z)
    # The number of draws is geometric: its mean is 1 / Z and its variance (1 - Z) / Z^2.
    z = ridge.evidence
    tries = (solution.stats.accepted + solution.stats.rejected).double()
    assert abs(tries.mean().item() * z - 1) < Z_SCORE * math.sqrt((1 - z) / 4000)
    assert torch.equal(solution.stats.nfe, tries.long() + 1)  # and the energy at the end


@pytest.mark.slow  # the contract of samplers tests it on other targets
@ONE_MODE
def test_mala_samples_the_posterior(name: str) -> None:
    """40 steps at acceptance rates around 0.6: the chains have long forgotten their starts."""
    check_law(RIDGES[name], draw(mala, RIDGES[name], steps=40, warmup=20).z)


@ONE_MODE
def test_hmc_samples_the_posterior(name: str) -> None:
    check_law(RIDGES[name], draw(hmc, RIDGES[name], steps=8, warmup=12, leapfrog=4).z)


@ONE_MODE
def test_a_chain_from_the_end_of_a_flow_samples_the_posterior(name: str) -> None:
    """The flow ends where the condition holds, far from the posterior; the chain forgets it."""
    ridge = RIDGES[name]
    check_law(ridge, draw(hybrid, ridge, steps=40, warmup=20).z)


def test_a_chain_descends_its_own_energy_and_its_flow_another() -> None:
    """The flow's bound pulls to -3; of that, nothing is left in the samples."""
    ridge, other = RIDGES["linear-Gaussian"], Ridge(NormalAt("value", -3.0, 0.3))
    solution = draw(hybrid, ridge, steps=40, warmup=20, regularised=other.energy)
    check_law(ridge, solution.z)
    flow = draw(hybrid, ridge, steps=1, warmup=1, regularised=other.energy)
    assert (flow.z @ ridge.u).mean() < 0.0 < (solution.z @ ridge.u).mean()
    assert (flow.stats.nfe > 3).all()
    # What both cost: steps of a chain are one evaluation each, and both look at their ends.
    target = Target(ridge.energy, other.energy)
    z0 = prior(SEED, range(COUNT), ridge.dim)
    first = SAMPLERS["exponential"](target, z0).stats
    steps = flow.stats.accepted + flow.stats.rejected - first.accepted - first.rejected
    assert torch.equal(steps, torch.full_like(steps, 2))
    assert torch.equal(flow.stats.nfe, first.nfe + 1 + 2 + 1)


@EVERY_RIDGE
def test_smc_samples_the_posterior_and_knows_its_evidence(ridge: Ridge) -> None:
    solution = draw(smc, ridge, particles=16, moves=2)
    assert set(solution.status) == {Status.converged}
    # Unbiased: the mean of the estimates is Z, to within its own standard error.
    estimates = solution.extra["log_evidence"].exp() / ridge.evidence
    error = float(estimates.std()) / math.sqrt(COUNT)
    assert 0 < error < 0.03
    assert abs(float(estimates.mean()) - 1) < Z_SCORE * error
    # Weighted by them, samples are exact; unweighted, off by this much at most.
    check_law(ridge, solution.z, slack=0.5 * float((estimates - 1).abs().mean()))
    x = ridge.along(solution.z)
    inside = (x > ridge.mean(ridge.grid)).double()
    share = 1 - float(ridge.cdf(torch.tensor([ridge.mean(ridge.grid)]).numpy())[0])
    products = estimates * (inside - share)
    assert abs(float(products.mean())) < Z_SCORE * float(products.std()) / math.sqrt(COUNT)


@pytest.mark.parametrize("sampler", [rejection, smc], ids=["rejection", "smc"])
def test_every_mode_gets_its_share(sampler: Callable[..., Solution]) -> None:
    """Arms with odds of 3 to 1 and equal evidence: a quarter of the samples in the rarer one."""
    options = {} if sampler is rejection else {"particles": 16, "moves": 2}
    solution = draw(sampler, RIDGES["two modes"], **options)
    share = float((RIDGES["two modes"].along(solution.z) < 0).double().mean())
    bias = 0.0
    if sampler is smc:
        estimates = solution.extra["log_evidence"].exp() / RIDGES["two modes"].evidence
        bias = 0.5 * float((estimates - 1).abs().mean())
    assert abs(share - 0.25) < Z_SCORE * math.sqrt(0.25 * 0.75 / COUNT) + bias


def test_smc_reaches_what_rejection_cannot() -> None:
    """A value six deviations out: Z = 2e-7."""
    ridge = Ridge(NormalAt("value", 6.0, 0.5))
    z = 0.5 / math.sqrt(1.25) * math.exp(-36 / 2.5)
    solution = draw(smc, ridge, 100, particles=32, moves=4)
    estimates = solution.extra["log_evidence"].exp() / z
    error = float(estimates.std()) / math.sqrt(100)
    assert error < 0.1
    assert abs(float(estimates.mean()) - 1) < Z_SCORE * error
    lost = draw(rejection, ridge, 20, max_tries=200)
    assert set(lost.status) == {Status.max_tries}


def test_rejection_begins_with_the_start_and_takes_energies_that_are_rounded() -> None:
    """Where everything is accepted the samples are the prior draws, as without a condition."""

    class Constant(Quadratic):
        value = 0.0

        def __call__(self, z: torch.Tensor, *args: torch.Tensor) -> torch.Tensor:
            return torch.full((len(z),), self.value)

    z0 = prior(SEED, range(3), 4)
    for value in (0.0, -9e-4):
        energy = Constant(torch.ones(4))
        object.__setattr__(energy, "value", value)
        solution = rejection(energy, z0, streams=Streams(SEED, range(3)))
        assert torch.equal(solution.z, z0)
        assert solution.stats.accepted.tolist() == [1, 1, 1]
        assert solution.stats.rejected.tolist() == [0, 0, 0]
    object.__setattr__(energy, "value", -2e-3)
    with pytest.raises(UsageError) as refused:
        rejection(energy, z0, streams=Streams(SEED, range(3)))
    assert str(refused.value) == (
        "rejection needs energies of at least 0, and this condition's go below; "
        "sample it with smc, hmc or mala"
    )


def test_rejection_evaluates_many_draws_at_once() -> None:
    """The first of each sample, then as many as fill a block, and no more than are allowed."""
    calls: list[int] = []

    class Noted(Quadratic):
        def __call__(self, z: torch.Tensor, *args: torch.Tensor) -> torch.Tensor:
            calls.append(len(z))
            return torch.full((len(z),), 1e3)

    z0 = prior(SEED, range(2), 4)
    shares: list[float] = []
    streams = Streams(SEED, range(2))
    energy = Noted(torch.ones(4))
    solution = rejection(energy, z0, max_tries=200, streams=streams, on_step=shares.append)
    assert (solution.stats.rejected == 200).all()
    assert (solution.stats.nfe == 201).all()
    assert shares == pytest.approx([tried / 200 for tried in (1, 65, 129, 193, 200)])
    # 1 + 64 + 64 + 64 + 7 draws of each, and the energies at the end.
    assert len(calls) <= 10


def test_rejection_that_gives_up_keeps_the_best_of_its_draws() -> None:
    ridge = Ridge(NormalAt("value", 30.0, 0.5))
    count, tries = 5, 300
    solution = draw(rejection, ridge, count, max_tries=tries)
    assert solution.status == (Status.max_tries,) * count
    assert (solution.stats.rejected == tries).all()
    streams = Streams(SEED, range(count))
    for row in range(count):
        start = prior(SEED, [row], ridge.dim)
        others = streams.normal([row] * (tries - 1), start.expand(tries - 1, -1))
        draws = torch.cat([start, others])
        assert torch.equal(solution.z[row], draws[ridge.along(draws).argmax()])


def test_rejection_counts_no_draw_that_it_looked_at_ahead() -> None:
    """Alone, a sample looks at 128 draws at once; among many, at one after another."""
    ridge = RIDGES["linear-Gaussian"]
    many = draw(rejection, ridge, 300)
    alone = draw(rejection, ridge, 3)
    assert torch.equal(many.stats.nfe[:3], alone.stats.nfe)
    assert torch.equal(many.z[:3], alone.z)
    few = draw(rejection, ridge, 300, max_tries=4)
    late = many.stats.rejected >= 4
    assert late.any()
    assert not late.all()
    assert [status is Status.max_tries for status in few.status] == late.tolist()
    assert torch.equal(few.z[~late], many.z[~late])


def test_rejection_refuses_an_energy_below_zero() -> None:
    class Below:
        def __call__(self, z: torch.Tensor) -> torch.Tensor:
            return z[:, 0] - 3.0

    with pytest.raises(UsageError, match="at least 0"):
        rejection(Below(), prior(0, range(3), 2), streams=Streams(0, range(3)))  # type: ignore[arg-type]


@ALL
def test_a_random_sampler_without_streams_is_refused(sampler: Callable[..., Solution]) -> None:
    for streams in (None, Streams(0, range(2))):
        with pytest.raises(UsageError, match="stream"):
            sampler(Quadratic(torch.ones(4)), prior(0, range(3), 4), streams=streams)


@ALL
def test_nan_is_survived_and_spares_the_neighbours(sampler: Callable[..., Solution]) -> None:
    """NaN in a quarter of the space, which no sample ends in; one start lies in it."""
    broken = Broken(Quadratic(torch.ones(4)), wall=0.7)
    z0 = prior(2, range(6), 4)
    z0[:, 0] = z0[:, 0].clamp_max(0.5)
    z0[2, 0] = 0.9
    among = sampler(broken, z0, streams=Streams(2, range(6)))
    assert among.z.isfinite().all()
    chains = sampler in (mala, hmc)
    lost = [2] if chains else []  # the others have more than one start
    kept = [row for row in range(6) if row not in lost]
    assert [among.status[row] for row in lost] == [Status.non_finite] * len(lost)
    assert {among.status[row] for row in kept} == {Status.converged}
    assert (among.z[kept, 0] <= 0.7).all()
    assert torch.equal(among.z[lost], z0[lost])
    others = [0, 1, 3, 4, 5]
    without = sampler(broken, z0[others], streams=Streams(2, others))
    assert torch.equal(among.z[others], without.z)


@ALL
def test_nothing_but_nan_is_said_to_be_so(sampler: Callable[..., Solution]) -> None:
    options = {"max_tries": 50} if sampler is rejection else {}
    z0 = prior(1, range(3), 4)
    broken = Broken(Quadratic(torch.ones(4)), wall=-math.inf)
    solution = sampler(broken, z0, streams=Streams(1, range(3)), **options)
    assert solution.status == (Status.non_finite,) * 3
    assert torch.equal(solution.z, z0)
    assert solution.energy.isnan().all()


@ALL
def test_energies_of_ten_thousand_are_survived(sampler: Callable[..., Solution]) -> None:
    """The prior's mean energy is above 1e4, and the posterior's about one half."""
    steep: Node = NormalAt("value", 3.0, 0.02)
    options: dict[str, float] = {
        rejection: {"max_tries": 200},
        mala: {"steps": 60, "warmup": 60},
        hmc: {"steps": 10, "warmup": 20},
        smc: {"particles": 16},
    }[sampler]
    solution = draw(sampler, Ridge(steep), 8, **options)
    start = Ridge(steep).energy(prior(SEED, range(8), 6))
    assert start.mean() > 1e4
    assert solution.z.isfinite().all()
    assert (solution.energy <= start).all()
    if sampler is rejection:
        assert set(solution.status) == {Status.max_tries}
    else:
        assert (solution.energy < 20).all()


def test_how_many_particles_are_effective() -> None:
    """(sum w)^2 / (K sum w^2), whatever the scale; all of them where none has a weight."""
    weights = torch.tensor([[1.0, 1.0, 2.0, 0.0]], dtype=torch.float64)
    for scale in (1.0, 1e-300, 1e300):
        assert _effective(weights.log() + math.log(scale)) == pytest.approx(16 / (4 * 6))
    assert _effective(torch.zeros(1, 5).double()) == pytest.approx(1.0)
    assert _effective(torch.full((1, 5), -math.inf).double()) == 1.0


def test_smc_that_runs_out_of_temperatures_says_so() -> None:
    solution = draw(smc, Ridge(NormalAt("value", 6.0, 0.02)), 4, max_steps=2)
    assert set(solution.status) == {Status.max_steps}
    assert solution.extra["log_evidence"].isnan().all()
    assert solution.z.isfinite().all()


def test_a_chain_that_accepts_nothing_is_stuck() -> None:
    """Finite at the starts alone: every proposal is NaN."""

    class Islands:
        def __init__(self, z0: torch.Tensor) -> None:
            self.z0 = z0

        def __call__(self, z: torch.Tensor) -> torch.Tensor:
            known = (z[:, None] == self.z0).all(dim=2).any(dim=1)
            return torch.where(known, 1.0, math.nan)

        def value_and_grad(self, z: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            return self(z), torch.zeros_like(z)

    z0 = prior(0, range(3), 4)
    solution = mala(Islands(z0), z0, steps=5, warmup=5, streams=Streams(0, range(3)))
    assert set(solution.status) == {Status.stuck}
    assert torch.equal(solution.z, z0)
    assert (solution.stats.rejected == 10).all()


def test_a_chain_that_refuses_a_few_proposals_is_not_stuck() -> None:
    """One step after the warm-up: two chains in five refuse it."""
    solution = draw(mala, RIDGES["logistic"], 50, steps=1, warmup=30)
    assert set(solution.status) == {Status.converged}


@pytest.mark.slow
@ALL
def test_no_graph_is_kept_and_memory_does_not_grow_with_steps(
    sampler: Callable[..., Solution],
) -> None:
    """As many tensors are alive in the second half of a run as were in the first."""

    def alive(share: float) -> None:
        found.append(sum(issubclass(type(x), torch.Tensor) for x in gc.get_objects()))

    rare = Ridge(NormalAt("value", 3.0, 0.3))
    more = {rejection: {"max_tries": 3000}, smc: {"moves": 30}}
    options: dict[str, float] = more.get(sampler, {})
    found: list[int] = []
    solution = draw(sampler, rare, 5, on_step=alive, **options)  # type: ignore[arg-type]
    assert len(found) >= 10
    # The first steps may import and cache; after them nothing is added, step by step.
    assert max(found[len(found) // 2 :]) <= max(found[: len(found) // 2]) + 3
    assert not solution.z.requires_grad
    assert not solution.energy.requires_grad


@ALL
def test_progress_ends_at_one_and_may_interrupt(sampler: Callable[..., Solution]) -> None:
    shares: list[float] = []
    draw(sampler, RIDGES["logistic"], 4, on_step=shares.append)  # type: ignore[arg-type]
    assert shares[-1] == pytest.approx(1.0)
    assert shares == sorted(shares)

    def interrupt(share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        draw(sampler, RIDGES["logistic"], 4, on_step=interrupt)  # type: ignore[arg-type]


@ALL
def test_no_samples_are_no_samples(sampler: Callable[..., Solution]) -> None:
    solution = draw(sampler, RIDGES["logistic"], 0)
    assert solution.z.shape == (0, 6)
    assert solution.status == ()
