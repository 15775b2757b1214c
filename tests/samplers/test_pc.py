"""The predictor against its own recursion in closed form, the corrector against its formula."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
import torch
from doubles import Broken
from laws import Z_SCORE, ks_bound, ks_distance, normal_cdf
from torch import Tensor

from lacelang.errors import UsageError
from lacelang.samplers import SAMPLERS
from lacelang.samplers.solution import Status
from lacelang.samplers.streams import Streams, prior
from lacelang.testing.targets import Quadratic

pc = SAMPLERS["pc"]

A, CENTRE, DIM = 3.0, 1.0, 4
TARGET = Quadratic(torch.full((DIM,), A), CENTRE)


def betas(steps: int) -> list[float]:
    return [(20.0 - 19.9 * k / (steps - 1)) / steps for k in range(steps)]


def test_the_predictor_s_law_is_that_of_its_recursion() -> None:
    """Of a quadratic energy a step is affine in z, so that every coordinate stays normal.

    z <- (2 - sqrt(1 - b) - b (1 + a)) z + b a m + sqrt(b) eps
    """
    steps, count = 40, 1500
    mean, variance = 0.0, 1.0
    for b in betas(steps):
        gain = 2.0 - math.sqrt(1.0 - b) - b * (1.0 + A)
        mean, variance = gain * mean + b * A * CENTRE, gain**2 * variance + b
    z0 = prior(3, range(count), DIM)
    solution = pc(TARGET, z0, steps=steps, corrector_steps=0, streams=Streams(3, range(count)))
    x = ((solution.z.double() - mean) / math.sqrt(variance)).flatten()
    assert ks_distance(x.numpy(), normal_cdf) < ks_bound(len(x))
    assert abs(x.mean().item()) < Z_SCORE / math.sqrt(len(x))
    assert abs(x.var().item() - 1) < Z_SCORE * math.sqrt(2 / len(x))
    # It settles at the energy counted twice: variance 1 / (1 + 2 a), not 1 / (1 + a).
    assert abs(variance - 1 / (1 + 2 * A)) < 0.2 * abs(variance - 1 / (1 + A))
    assert mean == pytest.approx(2 * A * CENTRE / (1 + 2 * A), rel=0.01)


class Known:
    """Streams of noise that is known beforehand."""

    def __init__(self, noise: Tensor) -> None:
        self.noise = iter(noise)

    def __len__(self) -> int:
        return 1

    def normal(self, rows: Sequence[int], like: Tensor) -> Tensor:
        return next(self.noise)[None]


def test_a_step_is_the_algorithm_s() -> None:
    """Twenty steps by hand, in float64, with the noise they were given."""
    steps, snr = 20, 0.2
    noise = torch.randn(3 * steps, DIM, generator=torch.Generator().manual_seed(2)).double()
    target = Quadratic(torch.full((DIM,), 0.5, dtype=torch.float64), CENTRE)
    z0 = prior(1, [0], DIM).double()
    solution = pc(
        target,
        z0,
        steps=steps,
        corrector_steps=2,
        snr=snr,
        streams=Known(noise),  # type: ignore[arg-type]
    )
    z, eps = z0[0], iter(noise)
    for b in betas(steps):
        score = -0.5 * (z - CENTRE) - z
        z = (2 - math.sqrt(1 - b)) * z + b * score + math.sqrt(b) * next(eps)
        for _ in range(2):
            score, e = -0.5 * (z - CENTRE) - z, next(eps)
            size = 2 * (1 - b) * (snr * float(e.norm() / score.norm())) ** 2
            z = z + size * score + math.sqrt(2 * size) * e
    assert torch.allclose(solution.z[0], z, atol=1e-10)
    assert (solution.stats.nfe == 3 * steps + 1).all()


def test_the_corrector_pulls_towards_the_energy_counted_once() -> None:
    """Many small corrector steps settle at the posterior, to a bias of the size of a step.

    A step's size is around 2 (0.05)^2 = 0.005, which makes the variance larger by a hundredth; the
    predictors, which pull it down, end with beta at 0.005. The bounds are five standard errors of
    4 000 numbers, 0.11 of the variance and 0.04, and a little for those two.
    """
    count, dim = 50, 80
    target = Quadratic(torch.full((dim,), A), CENTRE)
    solution = pc(
        target,
        prior(5, range(count), dim),
        steps=20,
        corrector_steps=60,
        snr=0.05,
        streams=Streams(5, range(count)),
    )
    posterior = 1 / (1 + A)
    assert solution.z.var().item() / posterior == pytest.approx(1.0, abs=0.15)
    assert solution.z.mean().item() == pytest.approx(A * CENTRE / (1 + A), abs=0.05)


def test_too_few_steps_and_missing_streams_are_refused() -> None:
    with pytest.raises(UsageError, match="20 steps or more"):
        pc(TARGET, prior(0, range(3), DIM), steps=19, streams=Streams(0, range(3)))
    with pytest.raises(UsageError, match="stream"):
        pc(TARGET, prior(0, range(3), DIM))


def test_a_lost_sample_stops_and_its_neighbours_keep_their_noise() -> None:
    z0 = prior(2, range(5), DIM).clamp(-1.5, 1.5)
    z0[1, 0] = 9.0
    broken = Broken(TARGET, wall=8.0)
    among = pc(broken, z0, streams=Streams(2, range(5)))
    assert among.status[1] is Status.non_finite
    assert torch.equal(among.z[1], z0[1])
    kept = [0, 2, 3, 4]
    without = pc(broken, z0[kept], streams=Streams(2, kept))
    assert torch.equal(among.z[kept], without.z)
    assert set(without.status) == {Status.converged}


def test_progress_ends_at_one() -> None:
    shares: list[float] = []
    z0 = prior(0, range(2), DIM)
    pc(TARGET, z0, streams=Streams(0, range(2)), on_step=shares.append)
    assert shares[-1] == 1.0
    assert shares == sorted(shares)
    assert pc(TARGET, z0[:0], streams=Streams(0, ())).z.shape == (0, DIM)
