"""Edit paths of made-up annotations."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from experiments.annotations import Annotations
from experiments.edit_paths import EditPaths


def paths_of(
    columns: Mapping[str, np.ndarray], features: np.ndarray, identity: np.ndarray
) -> EditPaths:
    """Of columns (N, P), features and descriptors (N, P, D)."""
    moments = [
        Annotations(
            {name: column[:, i] for name, column in columns.items()},
            features[:, i],
            identity=identity[:, i],
        )
        for i in range(features.shape[1])
    ]
    return EditPaths(np.zeros((*features.shape[:2], 1, 1), np.float32), moments)
