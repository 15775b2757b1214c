"""Langevin dynamics against the stationary law of its own discretisation, and its noise."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from doubles import Broken

from lacelang.errors import UsageError
from lacelang.samplers import SAMPLERS
from lacelang.samplers.solution import Status
from lacelang.samplers.streams import NOISE, PRIOR, Streams, prior, stream
from lacelang.testing.targets import Quadratic

langevin = SAMPLERS["langevin"]

A, CENTRE = 3.0, 1.0
TARGET = Quadratic(torch.full((4,), A), CENTRE)


def stationary_variance(step: float, noise: float) -> float:
    """z <- (1 - step (1 + a)) z + … : an AR(1) process."""
    decay = 1.0 - step * (1.0 + A)
    return noise**2 / (1.0 - decay**2)


@pytest.mark.parametrize(("noise", "step"), [(None, 0.05), (0.01, 0.05)])
def test_moments_are_those_of_the_stationary_law(noise: float | None, step: float) -> None:
    """2 000 independent chains: the mean and the variance within four standard errors."""
    count = 2000
    z0 = prior(1, range(count), 4)
    solution = langevin(
        TARGET, z0, steps=100, step=step, noise=noise, streams=Streams(1, range(count))
    )
    variance = stationary_variance(step, math.sqrt(2 * step) if noise is None else noise)
    mean = A * CENTRE / (1 + A)
    total = count * 4
    assert abs(solution.z.mean().item() - mean) < 4 * math.sqrt(variance / total)
    assert abs(solution.z.var().item() / variance - 1) < 4 * math.sqrt(2 / total)


def test_the_default_noise_is_nearly_unbiased_and_the_paper_s_is_not() -> None:
    posterior = 1 / (1 + A)
    assert stationary_variance(0.01, math.sqrt(0.02)) == pytest.approx(posterior, rel=0.03)
    assert stationary_variance(0.01, 0.01) < posterior / 100


def test_without_noise_it_descends_to_the_mode() -> None:
    solution = langevin(TARGET, prior(0, range(3), 4), steps=500, step=0.05, noise=0.0)
    assert torch.allclose(solution.z, torch.full((3, 4), A * CENTRE / (1 + A)))
    assert (solution.stats.nfe == 501).all()


def test_noise_without_streams_is_refused() -> None:
    with pytest.raises(UsageError, match="stream"):
        langevin(TARGET, prior(0, range(3), 4))
    with pytest.raises(UsageError, match="stream"):
        langevin(TARGET, prior(0, range(3), 4), streams=Streams(0, range(2)))


def test_a_lost_chain_stops_and_its_neighbours_keep_their_noise() -> None:
    z0 = prior(2, range(5), 4).clamp(-1.5, 1.5)
    z0[1, 0] = 9.0
    broken = Broken(TARGET, wall=8.0)
    among = langevin(broken, z0, streams=Streams(2, range(5)))
    assert among.status[1] is Status.non_finite
    assert torch.equal(among.z[1], z0[1])
    kept = [0, 2, 3, 4]
    without = langevin(broken, z0[kept], streams=Streams(2, kept))
    assert torch.equal(among.z[kept], without.z)
    assert set(without.status) == {Status.converged}


def test_a_stream_depends_on_seed_index_and_purpose_alone() -> None:
    whole = prior(5, range(8), 16)
    assert torch.equal(prior(5, [6, 2], 16), whole[[6, 2]])
    assert whole.dtype == torch.float32
    assert not torch.equal(prior(6, [2], 16), whole[2:3])
    draws = [stream(5, 2, purpose).standard_normal(16) for purpose in (PRIOR, NOISE)]
    assert not np.array_equal(*draws)
    assert prior(5, [], 16).shape == (0, 16)
    assert torch.unique(prior(5, range(1000), 1)).numel() == 1000


def test_prior_draws_are_standard_normal() -> None:
    z = prior(11, range(500), 512)
    count = z.numel()
    assert abs(z.mean().item()) < 4 / math.sqrt(count)
    assert abs(z.var().item() - 1) < 4 * math.sqrt(2 / count)
    neighbours = (z[:-1] * z[1:]).mean().item()
    assert abs(neighbours) < 4 / math.sqrt(count)


@pytest.mark.parametrize(("seed", "index"), [(-1, 0), (2**64, 0), (0, -1)])
def test_a_seed_that_is_no_word_is_refused(seed: int, index: int) -> None:
    with pytest.raises(UsageError, match="whole number"):
        prior(seed, [index], 4)
