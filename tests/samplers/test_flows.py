"""The ODE samplers against flows in closed form."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from doubles import Broken, Counted

from lacelang.rows import TILE
from lacelang.samplers import SAMPLERS, Sampler
from lacelang.samplers.schedule import HORIZON
from lacelang.samplers.solution import Solution, Status
from lacelang.samplers.streams import prior
from lacelang.samplers.torchdiffeq_solvers import DECLARED
from lacelang.testing.targets import Quadratic

dopri5 = SAMPLERS["dopri5"]
euler = SAMPLERS["euler"]
heun = SAMPLERS["heun"]

DIM = 8
STIFF = torch.logspace(-2, 1, DIM, dtype=torch.float64)
TARGET = Quadratic(STIFF)
Z0 = prior(7, range(12), DIM).double()


def error(z: torch.Tensor, time: float = HORIZON, target: Quadratic = TARGET) -> float:
    return float((z - target.flow(Z0, time)).square().mean(dim=1).sqrt().max())


def test_the_horizon_is_the_integral_of_half_beta() -> None:
    t = torch.linspace(1e-3, 1.0, 100_001, dtype=torch.float64)
    half_beta = 0.5 * (0.1 + 19.9 * t)
    assert pytest.approx(float(torch.trapezoid(half_beta, t)), rel=1e-9) == HORIZON


@pytest.mark.parametrize("time", [0.3, HORIZON])
def test_heun_is_as_exact_as_it_is_asked_to_be(time: float) -> None:
    """Local errors of a contracting flow decay, so the end is within a few tolerances."""
    errors, costs = [], []
    for tolerance in (1e-2, 1e-3, 1e-4, 1e-5):
        solution = heun(TARGET, Z0, tolerance=tolerance, time=time, max_steps=100_000)
        assert set(solution.status) == {Status.converged}
        errors.append(error(solution.z, time))
        costs.append(solution.stats.nfe.double().mean().item())
        assert errors[-1] < 3 * tolerance
    assert errors[3] < errors[1] / 20


def test_heun_is_of_second_order() -> None:
    """Error against cost: the embedded error goes with h^2, so a thousandth of the tolerance takes
    32 times the steps, and a second-order method is then a thousand times as exact.
    """
    smooth = Quadratic(torch.full((DIM,), 0.5, dtype=torch.float64))
    coarse, fine = (
        heun(smooth, Z0, tolerance=tolerance, time=2.0, max_steps=100_000)
        for tolerance in (1e-3, 1e-6)
    )
    cost = math.log(fine.stats.nfe.double().mean() / coarse.stats.nfe.double().mean())
    gain = math.log(error(coarse.z, 2.0, smooth) / error(fine.z, 2.0, smooth))
    assert gain / cost == pytest.approx(2.0, abs=0.25)


def test_the_error_of_a_step_of_heun_is_what_is_allowed() -> None:
    """On dz/dt = -a z the Euler error of a step is (a h)^2 |z| / 2, so that steps of the error tol
    come to sqrt(2 |z0| / tol) (1 - e^(-a T / 2)): an estimate that is wrong by a factor shows.
    """
    a, time, tolerance = 2.0, 2.0, 1e-4
    target = Quadratic(torch.full((DIM,), a, dtype=torch.float64), centre=0.0)
    z0 = torch.full((1, DIM), 3.0, dtype=torch.float64)
    steps = heun(target, z0, tolerance=tolerance, time=time, max_steps=100_000).stats.nfe[0]
    expected = math.sqrt(2 * 3.0 / tolerance) * (1 - math.exp(-a * time / 2))
    # Steps aim at 0.81 of the tolerance, 1 / 0.9 as many.
    assert 1.0 < float(steps) / expected < 1.25


def test_dopri5_and_euler_follow_the_same_flow() -> None:
    assert error(dopri5(TARGET, Z0, atol=1e-8, rtol=1e-8).z) < 1e-5
    coarse, fine = (error(euler(TARGET, Z0, step=step).z) for step in (1e-2, 1e-3))
    assert coarse < 0.1
    assert coarse / fine == pytest.approx(10.0, rel=0.2)


ORDERS = {"euler": 1, "midpoint": 2, "heun2": 2, "heun3": 3, "rk4": 4}


@pytest.mark.parametrize("solver", DECLARED, ids=lambda solver: solver.name)
def test_solvers_of_torchdiffeq(solver: Sampler) -> None:
    """Fixed steps of the method's order; adaptive ones follow their tolerance."""
    smooth = Quadratic(torch.full((DIM,), 0.5, dtype=torch.float64))

    def missed(**options: float) -> float:
        return error(solver(smooth, Z0, **options).z, target=smooth)

    if any(option.name == "step" for option in solver.options):
        coarse, fine = missed(step=0.02), missed(step=0.01)
        assert math.log2(coarse / fine) == pytest.approx(ORDERS[solver.name], abs=0.15)
        return
    assert missed(atol=1e-3, rtol=1e-3) < 6e-3
    assert missed(atol=0.1, rtol=0.1) > 6e-3


FLOWS: dict[str, Callable[..., Solution]] = {"heun": heun, "dopri5": dopri5, "euler": euler}
ALL = pytest.mark.parametrize("sampler", FLOWS.values(), ids=FLOWS.keys())


@ALL
def test_evaluations_are_counted_and_energies_are_of_the_end(
    sampler: Callable[..., Solution],
) -> None:
    solution = sampler(TARGET, Z0)
    assert torch.equal(solution.energy, TARGET(solution.z))
    assert not torch.equal(solution.z, Z0)
    counted = Counted(TARGET)
    alone = sampler(counted, Z0[:1])
    # A whole block of rows serves a sample that is alone.
    assert counted.rows % int(alone.stats.nfe[0]) == 0
    assert counted.rows <= int(alone.stats.nfe[0]) * TILE


@ALL
def test_samples_that_meet_nan_stop_at_their_best_and_spare_the_rest(
    sampler: Callable[..., Solution],
) -> None:
    """The flow leads to 1; the wall at 0.5 is between it and every start left of the wall."""
    target = Quadratic(torch.ones(DIM, dtype=torch.float64))
    z0 = Z0.clone()
    z0[:4, 0], z0[4:8, 0], z0[8:, 0] = -0.5, 0.9, -3.0
    z0[8:, 1:] = 0.0
    broken = Broken(target, wall=0.5)
    solution = sampler(broken, z0)
    assert solution.z.isfinite().all()
    assert solution.status == (Status.non_finite,) * 12
    assert torch.equal(solution.z[4:8], z0[4:8])  # NaN from the first evaluation on
    assert solution.energy[4:8].isnan().all()
    assert (solution.energy[:4] < target(z0)[:4]).all()
    assert (solution.z[:4, 0] <= 0.5).all()


@ALL
def test_a_lost_neighbour_changes_nothing(sampler: Callable[..., Solution]) -> None:
    target = Broken(TARGET, wall=3.0)
    z0 = Z0.clone()
    z0[3, 0] = 4.0
    among = sampler(target, z0)
    kept = [row for row in range(12) if row != 3]
    without = sampler(target, z0[kept])
    assert among.status[3] is Status.non_finite
    assert torch.equal(among.z[kept], without.z)
    assert [among.status[row] for row in kept] == list(without.status)


def test_heun_gives_up_after_max_steps_where_it_stands() -> None:
    solution = heun(TARGET, Z0, max_steps=3)
    assert set(solution.status) == {Status.max_steps}
    assert not torch.equal(solution.z, Z0)
    assert (solution.energy < TARGET(Z0)).all()
    assert (solution.stats.nfe == 5).all()  # the first slope, three steps, the energy at the end


def test_dopri5_counts_what_it_takes_and_what_it_tries_again() -> None:
    """Two slopes to begin with, six for every step, and the energy at the end."""
    stats = dopri5(TARGET, Z0).stats
    assert torch.equal(stats.nfe, 2 + 6 * (stats.accepted + stats.rejected) + 1)
    assert (stats.rejected >= 0).all()
    assert (stats.rejected > 0).any()


def test_dopri5_gives_up_when_its_evaluations_are_spent() -> None:
    solution = dopri5(TARGET, Z0, max_evaluations=10)
    assert set(solution.status) == {Status.max_steps}
    assert solution.z.isfinite().all()
    # Each where its own solver got to; one of them may arrive while others do not.
    z0 = torch.cat([torch.ones(1, DIM, dtype=torch.float64), Z0[:2]])
    some = dopri5(TARGET, z0, max_evaluations=60)
    assert some.status == (Status.converged, Status.max_steps, Status.max_steps)
    for row in range(3):
        alone = dopri5(TARGET, z0[row : row + 1], max_evaluations=60)
        assert torch.equal(alone.z[0], some.z[row])
        assert alone.stats.nfe[0] == some.stats.nfe[row] <= 61


def test_energies_of_ten_thousand_and_flat_ones_are_survived() -> None:
    steep = Quadratic(torch.full((DIM,), 1e4, dtype=torch.float32))
    solution = heun(steep, Z0.float(), max_steps=100_000, time=0.1)
    assert set(solution.status) == {Status.converged}
    assert (solution.z - 1.0).abs().max() < 0.01
    flat = heun(Quadratic(torch.zeros(DIM)), Z0.float())
    assert torch.equal(flat.z, Z0.float())
    assert (flat.stats.nfe <= 4).all()


@ALL
def test_progress_ends_at_one_and_may_interrupt(sampler: Callable[..., Solution]) -> None:
    shares: list[float] = []
    sampler(TARGET, Z0, on_step=shares.append)
    assert shares[-1] == pytest.approx(1.0)
    assert shares == sorted(shares)

    def interrupt(share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sampler(TARGET, Z0, on_step=interrupt)


@ALL
def test_no_samples_are_no_samples(sampler: Callable[..., Solution]) -> None:
    solution = sampler(TARGET, Z0[:0])
    assert solution.z.shape == (0, DIM)
    assert solution.status == ()


def test_every_status_has_its_words() -> None:
    for status in Status:
        assert status.sentence.endswith(".")
        assert bool(status.remedy) == (status is not Status.converged)
