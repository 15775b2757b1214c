"""Fréchet distances (Heusel et al. 2017) to unconditioned faces."""

from __future__ import annotations

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from experiments.statements import judge, sample
from lacelang.progress import Progress

Features = NDArray[np.floating]

#: Principal directions of the reference in which distances are computed. A covariance of n samples
#: has rank n − 1 at most. In all dimensions of the features, this defect would dominate the
#: distance of a few hundred images; in 64 dimensions it is a few per cent.
DIRECTIONS = 64
FACES = 1000
SEED = 5000
FRESH_SEED = 5001


@frozen(eq=False)
class Reference:
    """The features of the reference: their mean (D,) and principal components.

    The basis (D, K) is orthonormal; variances (K,) are along its columns.
    """

    mean: NDArray[np.float64]
    basis: NDArray[np.float64]
    variances: NDArray[np.float64]

    @classmethod
    def of(cls, features: Features, directions: int = DIRECTIONS) -> Reference:
        """Make a reference of features (N, D), N > `directions`."""
        x = features.astype(np.float64)
        mean = x.mean(0)
        _, values, rows = np.linalg.svd(x - mean, full_matrices=False)
        return cls(mean, rows[:directions].T, values[:directions] ** 2 / (len(x) - 1))

    def distance(self, features: Features) -> float | None:
        """Return the Fréchet distance of features (N, D) to the reference; None unless N > K.

        |m|^2 + tr(C + V - 2 (V^1/2 C V^1/2)^1/2), m and C the mean and covariance of the
        features along the directions, V the diagonal matrix of the reference's variances.
        """
        if len(features) <= len(self.variances):
            return None
        along = (features.astype(np.float64) - self.mean) @ self.basis
        mean, covariance = along.mean(0), np.cov(along, rowvar=False)
        root = np.sqrt(self.variances)
        # V^1/2 C V^1/2 is symmetric, so the trace of its root is the sum of its eigenvalues' roots.
        inner = np.linalg.eigvalsh(root[:, None] * covariance * root)
        cross = np.sqrt(np.clip(inner, 0.0, None)).sum()
        return float(mean @ mean + np.trace(covariance) + self.variances.sum() - 2 * cross)


@frozen(eq=False)
class Unconditioned:
    """The generator's distribution at one truncation: a reference, and features of other faces."""

    reference: Reference
    fresh: NDArray[np.float32]

    def floor(self, count: int) -> float | None:
        """Return the distance of `count` other unconditioned faces, averaged over disjoint parts.

        It is the floor for conditional samples of this size. None if there are too few faces for a
        distance, or fewer than `count` available.
        """
        parts = range(0, len(self.fresh) - count + 1, max(count, 1))
        found = [self.reference.distance(self.fresh[start : start + count]) for start in parts]
        known = [distance for distance in found if distance is not None]
        return float(np.mean(known)) if known else None


def unconditioned(progress: Progress, fresh: int) -> Unconditioned:
    """Annotate draws from the prior: those of the reference, and `fresh` others."""
    reference = Reference.of(prior_features(FACES, SEED, progress))
    return Unconditioned(reference, prior_features(fresh, FRESH_SEED, progress))


def prior_features(count: int, seed: int, progress: Progress) -> NDArray[np.float32]:
    """Return image features (N, D) of draws from the prior."""
    statements = {"unconditioned": sample(count, seed=seed)}
    return judge(statements, progress, "unconditioned faces")["unconditioned"].annotations.features
