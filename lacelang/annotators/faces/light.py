"""First-order spherical-harmonic lighting of a face, from its mesh and the brightness of its skin.

A matt surface of even colour under distant light has the radiance
l(n) ≈ c₀ + c₁ n_y + c₂ n_z + c₃ n_x (Basri and Jacobs 2003, order 1, constants folded in), with n
the outward normal: x to the viewer's right, y up, z toward the viewer. `light0` comes from c₀ and
`light3` from c₃ / c₀, so that it tells where the light comes from and not how bright it is.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lacelang.annotators.faces import mesh, parsing
from lacelang.annotators.images import Image

Array = NDArray[np.float64]

NEIGHBOURS = 10
# Points seen at a glancing angle are left out: their normals are the least certain.
_FACING = 0.15
_FEWEST = 40
# Weight of the ridge penalty on c₁..c₃. On the half of the sphere that is seen, n_z and the
# constant are nearly collinear.
_RIDGE = 0.05


def measure(
    image: Image, classes: Image, points: Array, near: NDArray[np.int64]
) -> dict[str, float]:
    """Return the light on the skin, as `light_0`, `light_y`, `light_z` and `light_x`.

    `points` is the mesh in pixels of the image (S, S, 3) and of its face-parsing classes (S, S),
    `near` what `neighbours` returned for the mean mesh.
    """
    column, row = np.clip(np.rint(points[:, :2]).astype(int), 0, len(image) - 1).T
    skin = np.isin(classes[row, column], (parsing.SKIN, parsing.NOSE))
    normal = normals(mesh.upright(points), near)
    found = fit(normal[skin], linear_luminance(image[row, column])[skin])
    return {f"light_{axis}": float(value) for axis, value in zip("0yzx", found, strict=True)}


def neighbours(frontal: Array) -> NDArray[np.int64]:
    """Return (N, 10): the nearest points of each point of a mesh (N, 3), itself included."""
    distances = ((frontal[:, None] - frontal[None]) ** 2).sum(2)
    nearest: NDArray[np.int64] = np.argsort(distances, axis=1)[:, :NEIGHBOURS]
    return nearest


def normals(points: Array, near: NDArray[np.int64]) -> Array:
    """Return unit normals (N, 3) of planes fitted to each point's neighbours.

    `points` is upright (x right, y up, z toward the viewer). Normals point away from a place behind
    the middle of the mesh.
    """
    patches = points[near]
    centres = patches.mean(1)
    spread = patches - centres[:, None]
    _, vectors = np.linalg.eigh(np.einsum("nki,nkj->nij", spread, spread))
    out: Array = vectors[:, :, 0]
    size = np.sqrt(((points - points.mean(0)) ** 2).sum(1).mean())
    behind = points.mean(0) - np.array([0.0, 0.0, size])
    out *= np.sign(((centres - behind) * out).sum(1, keepdims=True))
    return out


def linear_luminance(image: Image) -> Array:
    """Turn sRGB uint8 (..., 3) into linear luminance 0..1 (IEC 61966-2-1, Rec. 709 weights)."""
    out: Array = _LINEAR[image] @ np.array([0.2126, 0.7152, 0.0722])
    return out


_CODE = np.arange(256) / 255.0
_LINEAR = np.where(_CODE <= 0.04045, _CODE / 12.92, ((_CODE + 0.055) / 1.055) ** 2.4)


def fit(normal: Array, luminance: Array, rounds: int = 10) -> Array:
    """Fit c₀, c₁ (y), c₂ (z), c₃ (x) to luminances (N,) at unit normals (N, 3).

    Iteratively reweighted least squares with Tukey's biweight, against shadows, highlights and
    wrongly parsed skin. NaN when fewer than 40 points face the viewer.
    """
    seen = normal[:, 2] > _FACING
    if int(seen.sum()) < _FEWEST:
        return np.full(4, np.nan)
    n, target = normal[seen], luminance[seen]
    basis = np.column_stack([np.ones(len(n)), n[:, 1], n[:, 2], n[:, 0]])
    pull = _RIDGE * len(n) * np.diag([0.0, 0.1, 1.0, 0.1])
    weight = np.ones(len(n))
    solution: Array = np.zeros(4)
    for _ in range(rounds):
        weighted = basis * weight[:, None]
        solution = np.asarray(np.linalg.solve(basis.T @ weighted + pull, weighted.T @ target))
        residual = target - basis @ solution
        scale = 4.685 * 1.4826 * float(np.median(np.abs(residual))) + 1e-6
        weight = np.clip(1 - (residual / scale) ** 2, 0, None) ** 2
    return solution
