"""Fréchet distances (Heusel et al. 2017) to faces of which nothing was asked."""

from __future__ import annotations

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from experiments.statements import judge, sample
from lacelang.progress import Progress

Features = NDArray[np.floating]

#: Principal directions of the reference that distances are taken in. A covariance of n samples has
#: rank n − 1 at most: in all dimensions of the features the distance of a few hundred images to
#: anything is nothing but that defect; in 64 it is a few parts in a hundred.
DIRECTIONS = 64
FACES = 1000
SEED = 5000
FRESH_SEED = 5001


@frozen(eq=False)
class Reference:
    """Features that others are compared with: their mean (D,) and principal components.

    The basis (D, K) is orthonormal; variances (K,) are along it.
    """

    mean: NDArray[np.float64]
    basis: NDArray[np.float64]
    variances: NDArray[np.float64]

    @classmethod
    def of(cls, features: Features, directions: int = DIRECTIONS) -> Reference:
        """Take features (N, D) as a reference, N > `directions`."""
        x = features.astype(np.float64)
        mean = x.mean(0)
        _, values, rows = np.linalg.svd(x - mean, full_matrices=False)
        return cls(mean, rows[:directions].T, values[:directions] ** 2 / (len(x) - 1))

    def distance(self, features: Features) -> float | None:
        """The Fréchet distance of features (N, D) to the reference; None unless N > K.

        |m|^2 + tr(C + V - 2 (V^1/2 C V^1/2)^1/2), m and C the mean and covariance of the
        features along the directions, V the diagonal matrix of the reference's variances.
        """
        if len(features) <= len(self.variances):
            return None
        along = (features.astype(np.float64) - self.mean) @ self.basis
        mean, covariance = along.mean(0), np.cov(along, rowvar=False)
        root = np.sqrt(self.variances)
        # V^1/2 C V^1/2 is symmetric, so its root's trace is that of its eigenvalues' roots.
        inner = np.linalg.eigvalsh(root[:, None] * covariance * root)
        cross = np.sqrt(np.clip(inner, 0.0, None)).sum()
        return float(mean @ mean + np.trace(covariance) + self.variances.sum() - 2 * cross)


@frozen(eq=False)
class Unconditioned:
    """The generator's distribution at one truncation: a reference, and other faces' features."""

    reference: Reference
    fresh: NDArray[np.float32]

    def floor(self, count: int) -> float | None:
        """The distance of `count` fresh faces: the mean over as many parts of them as there are.

        No conditioning can be expected to come nearer with so many faces. None of fewer than have
        a distance, or more than there are.
        """
        parts = range(0, len(self.fresh) - count + 1, max(count, 1))
        found = [self.reference.distance(self.fresh[start : start + count]) for start in parts]
        known = [distance for distance in found if distance is not None]
        return float(np.mean(known)) if known else None


def unconditioned(progress: Progress, fresh: int) -> Unconditioned:
    """Annotate faces of the prior: those of the reference, and `fresh` others."""
    reference = Reference.of(prior_features(FACES, SEED, progress))
    return Unconditioned(reference, prior_features(fresh, FRESH_SEED, progress))


def prior_features(count: int, seed: int, progress: Progress) -> NDArray[np.float32]:
    """Image features (N, D) of draws from the prior."""
    statements = {"unconditioned": sample(count, seed=seed)}
    return judge(statements, progress, "unconditioned faces")["unconditioned"].annotations.features
