"""How different the latents of a group are from one another, beside draws from the prior."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST = 1000
"""Of so many samples the spread is taken, the first ones."""


def spread(z: NDArray[np.floating[Any]]) -> float | None:
    """Return the mean squared distance between two latents of (n, d), over that of prior draws.

    It is 1 for draws from N(0, I), whose squared distance is 2 d on average, and 0 for copies of
    one latent. None for fewer than two latents, or for latents that are not finite.
    """
    if len(z) < 2 or not np.isfinite(z).all():
        return None
    # The sum over pairs is that of the distances from the mean, times n.
    around = z.astype(float) - z.mean(axis=0, dtype=float)
    return float((around**2).sum() / (len(z) - 1) / z.shape[1])
