"""A group's latents as one safetensors file: where each image can be decoded again from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from attrs import frozen
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from lacelang.output.files import write_atomic

Float32 = NDArray[np.float32]


@frozen(eq=False)
class Latents:
    """Row i belongs to sample i.

    Attributes:
        z: float32 (N, d), what the sampler ended at.
        w: what the decoder was given: float32 (N, d) truncated, or (N, styles, d).
    """

    z: Float32
    w: Float32

    def __len__(self) -> int:
        return len(self.z)

    def first(self, count: int) -> Latents:
        """The first `count` rows."""
        return Latents(self.z[:count], self.w[:count])

    @staticmethod
    def joined(parts: Sequence[Latents]) -> Latents:
        """The rows of all `parts`, one after another."""
        z = np.concatenate([part.z for part in parts])
        return Latents(z, np.concatenate([part.w for part in parts]))


def write_latents(path: Path, latents: Latents) -> None:
    """Write `latents`, whole or not at all.

    Raises:
        ResourceError: the disk is full, or the folder cannot be written.
    """
    arrays = {"w": np.ascontiguousarray(latents.w), "z": np.ascontiguousarray(latents.z)}
    write_atomic(path, save(arrays))


def read_latents(path: Path) -> Latents | None:
    """Return what `write_latents` wrote; None if it is missing or damaged."""
    try:
        arrays = load(path.read_bytes())
    except (OSError, SafetensorError):
        return None
    z, w = arrays.get("z"), arrays.get("w")
    if z is None or w is None or len(z) != len(w):
        return None
    return Latents(z, w)
