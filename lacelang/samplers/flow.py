"""The paper's flow in its autonomous form (LACE eq. 7): dz/dtau = -grad E."""

from __future__ import annotations

from torch import Tensor

BETA_MIN = 0.1
BETA_MAX = 20.0
T_END = 1e-3

HORIZON = 0.5 * (BETA_MIN * (1.0 - T_END) + 0.5 * (BETA_MAX - BETA_MIN) * (1.0 - T_END**2))
"""tau at the end of the paper's flow, the integral of beta(t)/2 from 1e-3 to 1: 5.0249."""


def beta(t: Tensor) -> Tensor:
    """The paper's noise schedule, beta_min + (beta_max - beta_min) t."""
    return BETA_MIN + (BETA_MAX - BETA_MIN) * t


def rms(x: Tensor) -> Tensor:
    """Root mean square (N,) over the coordinates of (N, d): 1 for a prior draw."""
    return x.square().mean(dim=1).sqrt()
