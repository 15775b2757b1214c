"""Bounds that samples of a known law keep to, from the statistics alone.

Each check fails by chance with probability `ALARM` at most, over the choice of the seed; there are
fewer than a hundred of them, so that all together fail with probability 1e-6 at most.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lacelang.testing.targets import Ridge

ALARM = 1e-8
Z_SCORE = -NormalDist().inv_cdf(ALARM / 2)


def ks_distance(
    x: NDArray[np.float64], cdf: Callable[[NDArray[np.float64]], NDArray[np.float64]]
) -> float:
    """Largest distance of the empirical distribution function from `cdf`."""
    at = cdf(np.sort(x))
    ranks = np.arange(len(x) + 1) / len(x)
    return float(max((ranks[1:] - at).max(), (at - ranks[:-1]).max()))


def ks_bound(count: int) -> float:
    """What it may be for `count` independent draws: Dvoretzky, Kiefer, Wolfowitz and Massart.

    P(distance > e) <= 2 exp(-2 n e^2), for every n.
    """
    return math.sqrt(math.log(2.0 / ALARM) / (2.0 * count))


def normal_cdf(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(torch.special.ndtr(torch.from_numpy(x)).numpy())


def check_law(ridge: Ridge, z: Tensor, slack: float = 0.0) -> None:
    """Check independent draws against a ridge's posterior: along it, across it, and its moments.

    Args:
        slack: how far, in total variation, their law may be from the posterior.
    """
    x = ridge.along(z).double().numpy()
    count = len(x)
    assert ks_distance(x, ridge.cdf) < ks_bound(count) + slack
    # Across: (u_2, -u_1, 0, ...) is orthogonal to u, and keeps the prior.
    u = ridge.u.double()
    across = ((u[1] * z[:, 0] - u[0] * z[:, 1]) / u[:2].norm()).double().numpy()
    assert ks_distance(across, normal_cdf) < ks_bound(count) + slack
    if slack:
        return
    # Means of x and of its squared distance from its mean: by the central limit theorem.
    mean = ridge.mean(ridge.grid)
    for power in (1, 2):
        deviations = (ridge.grid - mean) ** power
        expected = ridge.mean(deviations)
        spread = math.sqrt(ridge.mean(deviations**2) - expected**2)
        found = float(((x - mean) ** power).mean())
        assert abs(found - expected) < Z_SCORE * spread / math.sqrt(count)
