"""The paper's flow in its autonomous form (LACE eq. 7): dz/dtau = -grad E."""

from __future__ import annotations

from torch import Tensor

from lacelang.samplers.schedule import BETA_MAX, BETA_MIN


def beta(t: Tensor) -> Tensor:
    """The paper's noise schedule, beta_min + (beta_max - beta_min) t."""
    return BETA_MIN + (BETA_MAX - BETA_MIN) * t


def rms(x: Tensor) -> Tensor:
    """Root mean square (N,) over the coordinates of (N, d): 1 for a prior draw."""
    return x.square().mean(dim=1).sqrt()
