"""Fréchet distance of image features (Heusel et al. 2017), in the directions that samples fill."""

from __future__ import annotations

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

Features = NDArray[np.floating]

DIRECTIONS = 64
"""Principal directions of the reference that distances are taken in.

A covariance of n samples has rank n - 1 at most. In all 1280 dimensions the distance of a few
hundred images to anything is nothing but that defect; in 64 it is a few parts in a hundred.
"""


@frozen(eq=False)
class Reference:
    """Features that others are compared with.

    Attributes:
        mean: (D,).
        basis: (D, K), principal directions, orthonormal.
        variances: (K,), along them.
    """

    mean: NDArray[np.float64]
    basis: NDArray[np.float64]
    variances: NDArray[np.float64]

    def distance(self, features: Features) -> float:
        """The Fréchet distance of features (N, D) to the reference, N > K.

        |m|^2 + tr(C + V - 2 (V^1/2 C V^1/2)^1/2), m and C the mean and covariance of the
        features along the directions, V the diagonal matrix of the reference's variances.
        """
        along = (features.astype(np.float64) - self.mean) @ self.basis
        mean, covariance = along.mean(0), np.cov(along, rowvar=False)
        root = np.sqrt(self.variances)
        # V^1/2 C V^1/2 is symmetric, so its root's trace is that of its eigenvalues' roots.
        inner = np.linalg.eigvalsh(root[:, None] * covariance * root)
        cross = np.sqrt(np.clip(inner, 0.0, None)).sum()
        return float(mean @ mean + np.trace(covariance) + self.variances.sum() - 2 * cross)


def reference(features: Features, directions: int = DIRECTIONS) -> Reference:
    """Take features (N, D) as a reference, N > `directions`."""
    x = features.astype(np.float64)
    mean = x.mean(0)
    _, values, rows = np.linalg.svd(x - mean, full_matrices=False)
    return Reference(mean, rows[:directions].T, values[:directions] ** 2 / (len(x) - 1))
