"""Who a face is: a descriptor that pictures of one person share, whatever they do in them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lacelang.annotators import chips, mesh, parsing
from lacelang.annotators.face_recognition import INPUT_SIZE
from lacelang.annotators.networks import Networks
from lacelang.progress import Progress

_PADDING = 0.25  # of the chips that the network was trained on

#: Two descriptors nearer than this are one person's, by the author of the network.
SAME_PERSON = 0.6


class Identity:
    """Describes who a face is. One instance per thread of work.

    Args:
        threads: CPU threads for the networks.
        folder: where converted networks are cached; the user's cache by default.
        progress: where to show downloads on first use.

    Raises:
        ResourceError: the weights cannot be fetched or are damaged.
    """

    def __init__(
        self, threads: int = 1, folder: Path | None = None, progress: Progress | None = None
    ) -> None:
        networks = Networks(threads, folder, progress)
        self._mesh = mesh.FaceMesh(networks.face_mesh())
        self._descriptor = networks.face_descriptor()

    def describe(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Describe one aligned face, uint8 (S, S, 3) RGB, as float32 (128,)."""
        side = parsing.INPUT_SIZE
        scaled = mesh.resize(image, side) if image.shape[0] != side else image
        points, _ = self._mesh(scaled)
        cut = chips.chip(scaled, points, INPUT_SIZE, _PADDING)
        described: NDArray[np.float32] = self._descriptor(cut[None])[0]
        return described
