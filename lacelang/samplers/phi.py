"""The functions of exponential integrators, of numbers and of a matrix of low rank."""

from __future__ import annotations

import math
from copy import copy

import torch
from torch import Tensor
from torch.nn import functional

JITTER = 1e-10

VECTOR = 16
"""Numbers in the widest vector of a processor."""

_TERMS = 14
_SERIES_BELOW = 0.5


def phi(order: int, x: Tensor) -> Tensor:
    """phi_n(x) = sum over j of x^j / (j + n)!, so phi_1(x) = (e^x - 1) / x, for n from 1 to 4.

    x is float64, at most a few units above 0.
    """
    small = x.abs() < _SERIES_BELOW
    s = torch.where(small, x, 0.0)
    series = torch.zeros_like(s)
    for j in reversed(range(_TERMS)):
        series = series * s + 1.0 / math.factorial(j + order)
    y = torch.where(small, 1.0, x)
    value = torch.expm1(y) / y
    for n in range(1, order):
        value = (value - 1.0 / math.factorial(n)) / y
    return torch.where(small, series, value)


def pull(jacobian: Tensor, u: Tensor) -> Tensor:
    """J^T u (N, d) of Jacobians (N, k, d) and coordinates (N, k)."""
    return torch.bmm(u.to(jacobian)[:, None], aligned(jacobian))[:, 0, : jacobian.shape[2]]


def push(jacobian: Tensor, x: Tensor) -> Tensor:
    """J x (N, k), float64, of Jacobians (N, k, d) and vectors (N, d)."""
    # A row by a matrix: a matrix by a column rounds differently in a batch of one.
    return torch.bmm(aligned(x[:, None]), aligned(jacobian).transpose(1, 2))[:, 0].double()


def aligned(matrices: Tensor) -> Tensor:
    """Matrices (N, a, b) with columns of zeros up to a multiple of `VECTOR`.

    A batched product rounds by where in a vector a matrix begins, which otherwise depends on the
    matrices before it.
    """
    missing = -matrices.shape[2] % VECTOR
    return functional.pad(matrices, (0, missing)) if missing else matrices


class LowRank:
    """H = J^T A J, (d, d) of rank k for every sample, through k x k matrices only.

    With J J^T = B B^T and B^T A B diagonal, H^n = J^T A B (B^T A B)^(n-2) B^T A J for n > 1, so
    that every function of H is one of the k eigenvalues. J is (N, k, d); A (N, k, k), symmetric,
    float64.
    """

    def __init__(self, jacobian: Tensor, curvature: Tensor) -> None:
        k = curvature.shape[1]
        # A product for each sample, of a shape that the size of the batch does not change.
        whole = aligned(jacobian)
        gram = torch.bmm(whole, whole.transpose(1, 2)).double()
        # Equal heads make the Gram matrix singular; a small multiple of the identity is added.
        scale = gram.diagonal(dim1=1, dim2=2).mean(dim=1) * JITTER + 1e-30
        identity = torch.eye(k, dtype=gram.dtype, device=gram.device)
        root, _ = torch.linalg.cholesky_ex(gram + scale[:, None, None] * identity)
        values, vectors = torch.linalg.eigh(root.transpose(1, 2) @ curvature @ root)
        self.eigenvalues = values
        self._jacobian, self._curvature = jacobian, curvature
        self._b = root @ vectors
        self._ab = curvature @ self._b

    def only(self, rows: Tensor) -> LowRank:
        """Return H of some samples, by their numbers."""
        part = copy(self)
        for name, value in vars(self).items():
            setattr(part, name, value[rows])
        return part

    def bend(self, change: Tensor) -> Tensor:
        """A J x (N, k), given J x: how far a move x changes the slope by the coordinates."""
        return _times(self._curvature, change)

    def phi1_pull(self, h: Tensor, v: Tensor) -> Tensor:
        """phi_1(-h H) J^T v (N, d), for h (N,) and v (N, k)."""
        weights = phi(2, -h[:, None] * self.eigenvalues) * _times(self._b.transpose(1, 2), v)
        return pull(self._jacobian, v - h[:, None] * _times(self._ab, weights))

    def phi2(self, h: Tensor, x: Tensor) -> Tensor:
        """phi_2(-h H) x (N, d), for h (N,) and x (N, d)."""
        y = push(self._jacobian, x)
        weights = phi(4, -h[:, None] * self.eigenvalues) * _times(self._ab.transpose(1, 2), y)
        inner = _times(self._curvature, y) / 6.0 - h[:, None] * _times(self._ab, weights)
        return 0.5 * x - pull(self._jacobian, h[:, None] * inner)


def _times(matrix: Tensor, vector: Tensor) -> Tensor:
    """Matrices (N, a, b) by vectors (N, b), in an order of summation that no batch changes."""
    return (matrix * vector[:, None]).sum(dim=2)
