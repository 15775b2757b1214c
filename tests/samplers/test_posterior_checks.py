"""Exact samplers by ranks of simulations, and by a classifier that tells samples apart.

Simulation-based calibration (Talts et al. 2018): for draws of the prior, data that they would give,
and draws of the posterior of those data, the rank of the first among the last is uniform.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from lacelang.energy import (
    ConditionalEnergy,
    Node,
    NormalAt,
    Outputs,
    Surprisal,
    Wanted,
    conjunction,
)
from lacelang.samplers import SAMPLERS
from lacelang.samplers.problem import Target
from lacelang.samplers.streams import Streams, prior

DIM, SIGMA = 4, 0.7
SIMULATIONS, DRAWS = 240, 9
WANTED = 4.5
"""Standard errors that a figure may be off."""

KIND, SIZE = Wanted("kind"), Wanted("size")
NODES: dict[str, Node] = {
    "classes": Surprisal(KIND, {0}),
    "both": conjunction([Surprisal(KIND, {0}), NormalAt(SIZE, 0.0, SIGMA)]),
}
OPTIONS: dict[str, dict[str, Any]] = {
    "rejection": {"max_tries": 20_000},
    "mala": {"steps": 60, "warmup": 40},
    "hmc": {"steps": 12, "warmup": 12, "leapfrog": 4},
    "smc": {"particles": 48, "moves": 2},
}
SAMPLED = [
    ("rejection", "classes"),
    ("rejection", "both"),
    *(
        pytest.param(name, about, marks=pytest.mark.slow)
        for name, about in (("mala", "both"), ("hmc", "both"), ("smc", "classes"))
    ),
]


def heads(z: Tensor) -> tuple[Tensor, Tensor]:
    """Logits of three kinds (N, 3) and a size (N,), curved in z (N, DIM)."""
    one, two, three, four = z.unbind(1)
    kinds = torch.stack([2 * one, 1.5 * two * three.tanh(), -one + 0.5 * four.square()], dim=1)
    return kinds, 1.2 * two + 0.8 * (one * four).tanh()


def features(z: Tensor, data: Tensor) -> Outputs:
    """Outputs relative to the data (N, 2): a kind and a size."""
    kinds, size = heads(z)
    order = (data[:, :1].long() + torch.arange(3)) % 3
    return {KIND: kinds.gather(1, order), SIZE: size - data[:, 1].to(z)}


def simulated(count: int) -> tuple[Tensor, Tensor]:
    """Draws from the prior (count, DIM), and data of each (count, 2)."""
    truth = prior(50, range(count), DIM)
    rng = np.random.default_rng(51)
    kinds, size = heads(truth)
    uniform = torch.from_numpy(rng.random(count)).float()
    kind = (uniform[:, None] > kinds.softmax(1).cumsum(1)).sum(1).clamp_max(2)
    noise = torch.from_numpy(rng.normal(scale=SIGMA, size=count))
    return truth, torch.stack([kind.double(), size.double() + noise], dim=1)


def drawn(name: str, about: str, data: Tensor, copies: int, seed: int = 52) -> Tensor:
    """Draws of the posterior of each row of the data: (N, copies, DIM)."""
    rows = data.repeat_interleave(copies, dim=0)
    energy = ConditionalEnergy(features, NODES[about], DIM)
    z = torch.empty(len(rows), DIM)
    sampler = SAMPLERS[name]
    # A sampler with a pilot run takes rows of one kind at a time.
    groups = [rows[:, 0] == kind for kind in range(3)] if sampler.pilots else [rows[:, 0] >= 0]
    for group in groups:
        indices = group.nonzero()[:, 0]
        if len(indices):
            target = Target(energy, energy, (rows[indices],))
            streams = Streams(seed, indices.tolist())
            z0 = prior(seed, indices.tolist(), DIM)
            z[indices] = sampler(target, z0, streams=streams, **OPTIONS[name]).z
    return z.view(len(data), copies, DIM)


STATISTICS = {
    "one": lambda z: z[..., 0],
    "two": lambda z: z[..., 1],
    "length": lambda z: z.square().sum(-1),
    "size": lambda z: heads(z.reshape(-1, DIM))[1].view(z.shape[:-1]),
}


@pytest.mark.parametrize(("name", "about"), SAMPLED)
def test_the_truth_ranks_among_draws_as_one_of_them(name: str, about: str) -> None:
    truth, data = simulated(SIMULATIONS)
    found = drawn(name, about, data, DRAWS)
    for statistic in STATISTICS.values():
        ranks = (statistic(found) < statistic(truth)[:, None]).sum(1).numpy()
        counts = np.bincount(ranks, minlength=DRAWS + 1)
        expected = SIMULATIONS / (DRAWS + 1)
        chi2 = ((counts - expected) ** 2 / expected).sum()
        assert chi2 < DRAWS + WANTED * math.sqrt(2 * DRAWS), (name, counts)
        # And no trend, which the sum of squares sees late: means of uniform ranks.
        error = math.sqrt(((DRAWS + 1) ** 2 - 1) / 12 / SIMULATIONS)
        assert abs(ranks.mean() - DRAWS / 2) < WANTED * error, (name, counts)


def test_draws_of_another_posterior_do_not_rank_so() -> None:
    truth, data = simulated(SIMULATIONS)
    wrong = data.clone()
    wrong[:, 1] = data[:, 1] + SIGMA
    found = drawn("rejection", "both", wrong, DRAWS)
    ranks = (STATISTICS["size"](found) < STATISTICS["size"](truth)[:, None]).sum(1)
    assert abs(ranks.double().mean() - DRAWS / 2) > 0.8


def told_apart(one: Tensor, other: Tensor) -> float:
    """Share of held-out rows that a quadratic classifier assigns to the right sample."""

    def powers(z: Tensor) -> Tensor:
        pairs = (z[:, :, None] * z[:, None, :])[:, *torch.triu_indices(DIM, DIM)]
        return torch.cat([torch.ones(len(z), 1), z, pairs], dim=1).double()

    half = len(one) // 2
    x = torch.cat([powers(one[:half]), powers(other[:half])])
    y = torch.cat([-torch.ones(half), torch.ones(half)]).double()
    weights = torch.linalg.lstsq(x, y[:, None]).solution[:, 0]
    right = (powers(one[half:]) @ weights < 0).sum() + (powers(other[half:]) @ weights > 0).sum()
    return float(right) / (2 * (len(one) - half))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mala", "hmc", "smc"])
def test_a_classifier_cannot_tell_samples_from_those_of_rejection(name: str) -> None:
    count = 600
    data = torch.tensor([[2.0, 0.0]], dtype=torch.float64)
    exact = drawn("rejection", "classes", data, count)[0]
    found = drawn(name, "classes", data, count, seed=77)[0]
    error = 0.5 / math.sqrt(count)
    assert told_apart(exact, found) < 0.5 + 4 * error
    assert told_apart(exact, found * 1.35) > 0.5 + 4 * error
