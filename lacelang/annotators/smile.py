"""Smiling, from the shape of the lips.

Mouth width alone is fooled by wide mouths and open ones; the whole outline of the lips, with the
pose of the head taken off, is not.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lacelang.annotators import mesh, pose


class LipShape:
    """Turns a mesh into what the smile probe reads."""

    def __init__(self, frontal: NDArray[np.float64]) -> None:
        self._frontal = frontal
        self._lips = np.array(mesh.LIPS)
        self._mirror = pose.partners(frontal)[self._lips]

    def __call__(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return (120,): offsets of the lip outline from the mean frontal mesh.

        `points` is a mesh in image axes. The offsets are averaged with those of the mirror image,
        since a smile is judged alike on both sides.
        """
        shape = pose.shape(points, self._frontal)
        mirrored = shape[self._mirror] * np.array([-1.0, 1.0, 1.0])
        average: NDArray[np.float64] = ((shape[self._lips] + mirrored) / 2).reshape(-1)
        return average
