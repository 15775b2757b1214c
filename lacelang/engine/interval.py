"""How far a share of independent draws may be from the probability behind it."""

from __future__ import annotations

import math

#: Standard normal quantile of a two-sided interval of 95 %.
Z_95 = 1.959963984540054


def wilson(hits: int, draws: int, z: float = Z_95) -> tuple[float, float]:
    """Return Wilson's score interval of a probability (Wilson 1927).

    It stays inside 0..1 and says something sensible of no hits and of nothing but hits.

    Args:
        hits: draws in which the event came, 0 … draws.
        draws: at least 1.
        z: quantile of the standard normal: 1.96 for 95 %.
    """
    share = hits / draws
    shrink = 1 + z * z / draws
    centre = (share + z * z / (2 * draws)) / shrink
    reach = z / shrink * math.sqrt(share * (1 - share) / draws + (z / (2 * draws)) ** 2)
    low = 0.0 if hits == 0 else max(0.0, centre - reach)
    high = 1.0 if hits == draws else min(1.0, centre + reach)
    return low, high
