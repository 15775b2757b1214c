"""How different faces are from one another, beside faces of a reference.

Identities are rows (n, d) of an embedding that is similar for pictures of the same subject, as
`standardised` gives them. Features are rows (n, d) of an image
network.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Rows: TypeAlias = NDArray[np.floating[Any]]

NEIGHBOURS = 5
"""k of recall and coverage; the published implementation's default."""


SHRINKAGE = 0.5
"""How far the variances of descriptors go to their mean before they are divided out."""


def standardised(descriptors: Rows, prior: Rows) -> NDArray[np.float64]:
    """Return descriptors (n, d) as deviations from draws of the prior (m, d), in units of theirs.

    Descriptors vary most by age and gender, so that all children look alike to them. They are
    divided by the standard deviations along the principal axes of the prior's draws, whose
    variances are shrunk to their mean (Ledoit and Wolf 2004, with a fixed share).
    """
    mean = prior.mean(axis=0, dtype=float)
    around = prior.astype(float) - mean
    variances, axes = np.linalg.eigh(around.T @ around / len(around))
    shrunk = (1.0 - SHRINKAGE) * variances + SHRINKAGE * variances.mean()
    found: NDArray[np.float64] = (descriptors.astype(float) - mean) @ axes / np.sqrt(shrunk)
    return found


def vendi(identities: Rows) -> float:
    """Return the Vendi score over n, in 1/n..1: 1 if all are different, 1/n if all are one.

    It is the exponential of the entropy of the eigenvalues of K/n, with K the cosines between the
    identities, negative ones set to 0 (Friedman and Dieng 2023).
    """
    n = len(identities)
    values = np.linalg.eigvalsh(np.clip(_cosines(identities), 0.0, None) / n)
    # Clipping may make the smallest of them slightly negative.
    values = values[values > 1e-12]
    values = values / values.sum()
    return float(np.exp(-(values * np.log(values)).sum()) / n)


def mean_cosine(identities: Rows) -> float:
    """Return the mean cosine between the identities of two faces."""
    n = len(identities)
    return float((_cosines(identities).sum() - n) / (n * (n - 1)))


def recall(features: Rows, reference: Rows, k: int = NEIGHBOURS) -> float:
    """Return the share of the reference that lies among the faces (Kynkäänniemi et al. 2019).

    A face reaches as far as its k-th nearest neighbour among the faces.
    """
    reach = _reach(features, k)
    return float((_distances(reference, features) <= reach).any(axis=1).mean())


def coverage(features: Rows, reference: Rows, k: int = NEIGHBOURS) -> float:
    """Return the share of the reference with a face in reach (Naeem et al. 2020).

    A reference reaches as far as its k-th nearest neighbour in the reference.
    """
    nearest = _distances(reference, features).min(axis=1)
    return float((nearest <= _reach(reference, k)).mean())


def _cosines(rows: Rows) -> NDArray[np.float64]:
    unit = rows.astype(float)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    found: NDArray[np.float64] = unit @ unit.T
    return found


def _distances(rows: Rows, others: Rows) -> NDArray[np.float64]:
    """Euclidean distances (n, m)."""
    a, b = rows.astype(float), others.astype(float)
    squares = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2 * a @ b.T
    found: NDArray[np.float64] = np.sqrt(squares.clip(0.0))
    return found


def _reach(rows: Rows, k: int) -> NDArray[np.float64]:
    """The distance (n,) of each row to its k-th nearest other."""
    distances = _distances(rows, rows)
    np.fill_diagonal(distances, 0.0)
    reach: NDArray[np.float64] = np.sort(distances, axis=1)[:, min(k, len(rows) - 1)]
    return reach
