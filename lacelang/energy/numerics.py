"""Logarithms of probabilities that stay finite, with right gradients, far into the tails."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

RESOLUTION = 2.0**-24
"""How near to 1 a probability may come: half the gap below 1 in float32."""

LARGEST = -math.log(RESOLUTION)
"""The energy, in nats, of denying what is certain: 16.6."""

_CERTAIN = -math.log1p(-RESOLUTION)
_SQRT2 = math.sqrt(2.0)
_SERIES_FROM = 50.0
_CENTRAL = 1.0


def softplus(x: Tensor) -> Tensor:
    """log(1 + e^x), exact in float64 too (torch's default threshold drops e^-20)."""
    return F.softplus(x, threshold=50.0)


def nonnegative(x: Tensor) -> Tensor:
    """x with negative values, which are rounding errors, set to 0; the gradient is that of x."""
    return x + (-x).clamp_min(0.0).detach()


def log_phi1(y: Tensor) -> Tensor:
    """log((1 - e^-y) / y) for y >= 0: log of phi_1(-y), the first function of exponential steps."""
    small = y < 0.1
    s = torch.where(small, y, 0.0)
    series = -s / 2 + s**2 / 24 - s**4 / 2880 + s**6 / 181440
    large = torch.where(small, 1.0, y)
    return torch.where(small, series, torch.log(-torch.expm1(-large)) - torch.log(large))


def deny(energy: Tensor) -> Tensor:
    """-log(1 - e^-E), with e^-E held `RESOLUTION` below 1: at E = 0 it is `LARGEST`."""
    return -torch.log(-torch.expm1(-(energy + _CERTAIN)))


def total(energies: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    """The energy of all terms together: sum of w_k E_k."""
    result = energies[0] * weights[0]
    for energy, weight in zip(energies[1:], weights[1:], strict=True):
        result = result + energy * weight
    return result


def deny_total(
    energies: Sequence[Tensor], complements: Sequence[Tensor], weights: Sequence[float]
) -> Tensor:
    """The complement -log(1 - e^-S) of S = sum of w_k E_k, w_k > 0, exact where S underflows.

    Energies are E_k (N,), complements -log(1 - e^-E_k) (N,). Since 1 - e^-E = E phi_1(-E), log E_k
    is -(complement + log phi_1(-E_k)), however small E_k is. Their log-sum-exp is log S, and the
    same identity turns it into the complement.
    """
    logs = [
        math.log(w) - c - log_phi1(e)
        for e, c, w in zip(energies, complements, weights, strict=True)
    ]
    log_sum = torch.logsumexp(torch.stack(logs), dim=0)
    return nonnegative(-(log_sum + log_phi1(total(energies, weights))))


def mixture(energies: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    """-log of sum of pi_k e^-E_k, with pi the normalised weights (LACE sec. 3.3, OR)."""
    scale = math.log(math.fsum(weights))
    logs = [math.log(w) - scale - e for e, w in zip(energies, weights, strict=True)]
    return nonnegative(-torch.logsumexp(torch.stack(logs), dim=0))


def log_erfcx(t: Tensor) -> Tensor:
    """log(e^(t^2) erfc(t)) for t > -5, gradient included.

    For large t, where torch's derivative of erfcx cancels, it is by the asymptotic series
    1 - 1/2t^2 + 3/4t^4 - 15/8t^6.
    """
    far = t > _SERIES_FROM
    u = torch.where(far, t, _SERIES_FROM)
    r = 0.5 / (u * u)
    series = torch.log1p(r * (-1 + r * (3 - 15 * r))) - torch.log(u) - 0.5 * math.log(math.pi)
    near = torch.where(far, 1.0, t)
    return torch.where(far, series, torch.log(torch.special.erfcx(near)))


def log_ndtr(x: Tensor) -> Tensor:
    """log Phi(x), the normal distribution function: finite for every finite x.

    torch.special.log_ndtr has the right value but, below about -1e3, a wrong gradient.
    """
    left = x < 0
    a = torch.where(left, x, 0.0)
    tail = -0.5 * a * a + log_erfcx(-a / _SQRT2) - math.log(2.0)
    b = torch.where(left, 0.0, x)
    return torch.where(left, tail, torch.log1p(-0.5 * torch.special.erfc(b / _SQRT2)))


def log_interval(distance: Tensor, half: float) -> Tensor:
    """log of the normal probability of an interval, in standard deviations.

    Args:
        distance: (N,), of the mean from the interval's middle.
        half: half the interval's width, > 0.

    Far out, where both ends have vanishing probability, their difference is formed in logs:
    log Phi(b) + log(1 - e^-D), D = log Phi(b) - log Phi(a) = 2 h s + a difference of log erfcx.
    """
    s = distance.abs()
    b, a = half - s, -half - s
    central = b > _CENTRAL
    inside = torch.where(central, b, _CENTRAL)
    outside = torch.where(central, a, -_CENTRAL)
    left_out = 0.5 * (torch.special.erfc(inside / _SQRT2) + torch.special.erfc(-outside / _SQRT2))
    middle = torch.log1p(-left_out)
    bt = torch.where(central, 0.0, b)
    at = torch.where(central, -2.0 * half, a)
    st = torch.where(central, half, s)
    gap = 2 * half * st + log_erfcx(-bt / _SQRT2) - log_erfcx(-at / _SQRT2)
    tail = log_ndtr(bt) + torch.log(-torch.expm1(-gap))
    return torch.where(central, middle, tail)
