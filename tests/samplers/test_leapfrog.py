"""Leapfrog steps: reversible, volume-preserving, with the right acceptance ratio; exact kernels."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from laws import check_law, ks_bound, ks_distance
from torch import Tensor

from lacelang.samplers.chain import Point, StepSizes, leapfrog, quarter_turn, step
from lacelang.samplers.streams import Streams
from lacelang.testing.targets import RIDGES, Quadratic, Ridge

DIM = 5
TARGET = Quadratic(torch.logspace(-1, 1, DIM, dtype=torch.float64))


def look(z: Tensor) -> Point:
    return Point(z, *TARGET.value_and_grad(z))


def starts(count: int = 20) -> tuple[Point, Tensor, Tensor]:
    random = torch.Generator().manual_seed(5)
    z, v = torch.randn(2, count, DIM, dtype=torch.float64, generator=random)
    h = 0.1 + 0.4 * torch.rand(count, generator=random)  # below 2 over the largest frequency
    return look(z), v, h


def hamiltonian(z: Tensor, v: Tensor, power: float) -> Tensor:
    return power * TARGET(z) + 0.5 * z.square().sum(dim=1) + 0.5 * v.square().sum(dim=1)


@pytest.mark.parametrize("steps", [1, 7])
@pytest.mark.parametrize("power", [1.0, 0.3])
def test_the_way_back_is_the_way_there(steps: int, power: float) -> None:
    at, v, h = starts()
    end, w, rise = leapfrog(look, at, v, h, steps, power)
    back, u, fall = leapfrog(look, end, -w, h, steps, power)
    assert torch.allclose(back.z, at.z, atol=1e-10)
    assert torch.allclose(u, -v, atol=1e-10)
    assert torch.allclose(fall, -rise, atol=1e-9)
    difference = hamiltonian(end.z, w, power) - hamiltonian(at.z, v, power)
    # The rotation's sine and cosine are those of a step rounded to float32.
    assert torch.allclose(rise, difference, atol=1e-6)
    assert rise.abs().max() > 0.1


def test_volume_is_kept() -> None:
    at, v, h = starts(1)

    def end(both: Tensor) -> Tensor:
        z, velocity, _ = leapfrog(look, look(both[None, :DIM]), both[None, DIM:], h, 4)
        return torch.cat([z.z[0], velocity[0]])

    jacobian = torch.autograd.functional.jacobian(end, torch.cat([at.z[0], v[0]]))
    assert torch.linalg.det(jacobian).item() == pytest.approx(1.0, abs=1e-9)


def test_one_step_is_mala_s_proposal_with_its_ratio_of_densities() -> None:
    """Against Metropolis and Hastings' ratio, with the proposal's normal densities written out."""
    at, eps, h = starts()
    h = h.double()
    end, _, rise = leapfrog(look, at, eps, h)
    delta = (h * h / 2.0)[:, None]

    def centre(point: Point) -> Tensor:
        return ((2.0 - delta) * point.z - 2.0 * delta * point.gradient) / (2.0 + delta)

    scale = (8.0 * delta).sqrt() / (2.0 + delta)
    assert torch.allclose(end.z, centre(at) + scale * eps, atol=1e-12)

    def log_joint(here: Point, there: Point) -> Tensor:
        target = -here.energy - 0.5 * here.z.square().sum(dim=1)
        proposal = -0.5 * ((there.z - centre(here)) / scale).square().sum(dim=1)
        return target + proposal

    assert torch.allclose(-rise, log_joint(end, at) - log_joint(at, end), atol=1e-9)


def test_the_prior_alone_is_solved_exactly() -> None:
    """A flat energy: no error in any dimension, and a quarter turn is a fresh draw."""
    flat = Quadratic(torch.zeros(512))

    def look_flat(z: Tensor) -> Point:
        return Point(z, *flat.value_and_grad(z))

    z, v = torch.randn(2, 4, 512, generator=torch.Generator().manual_seed(1))
    for steps in (1, 8):
        h = torch.full((4,), quarter_turn(steps))
        end, w, rise = leapfrog(look_flat, look_flat(z), v, h, steps)
        assert (rise == 0.0).all()
        assert torch.allclose(end.z, v, atol=1e-5)
        assert torch.allclose(w, -z, atol=1e-5)


def test_what_is_not_finite_is_never_accepted() -> None:
    def nowhere(z: Tensor) -> Point:
        return Point(z, torch.full_like(z[:, 0], math.nan), torch.full_like(z, math.inf))

    at, v, h = starts(3)
    _, _, rise = leapfrog(nowhere, at, v, h, 3)
    assert torch.equal(rise, torch.full((3,), math.inf, dtype=torch.float64))


def exact_draws(ridge: Ridge, count: int, seed: int) -> Tensor:
    """From the posterior: x by its quantiles, the rest from the prior."""
    random = np.random.default_rng(seed)
    total = ridge.cdf(ridge.grid)
    rising = np.concatenate([[True], np.diff(total) > 0.0])
    x = np.interp(random.random(count), total[rising], ridge.grid[rising])
    z = torch.from_numpy(random.standard_normal((count, ridge.dim)))
    u = ridge.u.double()
    return (z + (torch.from_numpy(x) - z @ u)[:, None] * u).float()


@pytest.mark.parametrize("name", ["linear-Gaussian", "two modes"])
@pytest.mark.parametrize(("leapfrogs", "h"), [(1, 1.0), (5, 0.9)])
def test_one_step_from_exact_draws_leaves_them_exact(name: str, leapfrogs: int, h: float) -> None:
    """20 000 draws from the posterior by its quantiles, one step of the chain, the same law.

    Without the acceptance test the same step leaves the law by several times the bound.
    """
    ridge: Ridge = RIDGES[name]
    count = 20_000
    z = exact_draws(ridge, count, seed=3)
    energy = ridge.energy

    def look_ridge(z: Tensor) -> Point:
        return Point(z, *energy.value_and_grad(z))

    largest = torch.full((count,), h)
    at = look_ridge(z)
    after, moved, acceptance = step(
        look_ridge, at, Streams(4, [0]), [0] * count, largest, leapfrogs
    )
    assert 0.4 < moved.double().mean() < 0.96
    assert moved.double().mean().item() == pytest.approx(acceptance.mean().item(), abs=0.02)
    check_law(ridge, after.z)

    noise = torch.randn(z.shape, generator=torch.Generator().manual_seed(8))
    unadjusted, _, _ = leapfrog(look_ridge, at, noise, largest, leapfrogs)
    x = ridge.along(unadjusted.z).double().numpy()
    assert ks_distance(x, ridge.cdf) > 2 * ks_bound(count)


def test_step_sizes_are_averaged_as_hoffman_and_gelman_say() -> None:
    """Algorithm 5 of 2014, with its gamma, t_0 and kappa; the start of the search is mu."""
    target, widest, start = 0.65, 1.5, [0.3, 1.4]
    sizes = StepSizes(widest, target, torch.tensor(start))
    assert sizes.trial.tolist() == sizes.settled.tolist() == pytest.approx(start)
    accepted = [(1.0, 0.2), (0.9, 0.0), (0.3, 0.7), (1.0, 0.65), (0.0, 0.1)]
    shortfall, mean = [0.0, 0.0], [math.log(h) for h in start]
    for t, rates in enumerate(accepted, start=1):
        sizes.learn(torch.tensor(rates, dtype=torch.float64))
        trial = [0.0, 0.0]
        for k in range(2):
            shortfall[k] += (target - rates[k] - shortfall[k]) / (t + 10)
            trial[k] = math.log(start[k]) - math.sqrt(t) / 0.05 * shortfall[k]
            trial[k] = min(trial[k], math.log(widest))
            mean[k] += t**-0.75 * (trial[k] - mean[k])
        assert sizes.trial.tolist() == pytest.approx([math.exp(x) for x in trial], rel=1e-5)
        assert sizes.settled.tolist() == pytest.approx([math.exp(x) for x in mean], rel=1e-5)
    assert sizes.trial.dtype == sizes.settled.dtype == torch.float32
