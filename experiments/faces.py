"""Faces that are not draws from the prior, in a form that can be decoded and annotated."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from attrs import field, frozen
from numpy.typing import NDArray
from torch import Tensor

from lacelang.classifiers.draws import Draws, digest
from lacelang.generators.generator import Generator


@frozen(eq=False)
class Styles(Draws):
    """Faces that were moved in w: `z` is truncated w (N, d'), or (N, styles, d')."""

    psi: NDArray[np.float32] = field(factory=lambda: np.zeros(0, np.float32))

    def fingerprint(self) -> str:
        """A short digest of all numbers and their shape."""
        return digest(np.array(self.z.shape), self.z)

    def styles(self, generator: Generator) -> Tensor:
        """Return the styles."""
        return torch.from_numpy(np.ascontiguousarray(self.z))


class Mirrored(Draws):
    """Faces whose images are flipped left to right."""

    def fingerprint(self) -> str:
        """Return the fingerprint of the unflipped faces, with a suffix."""
        return f"{super().fingerprint()}-mirrored"

    def images(self, generator: Generator) -> Iterator[NDArray[np.uint8]]:
        """Decode and flip the faces."""
        for image in super().images(generator):
            yield np.ascontiguousarray(image[:, ::-1])
