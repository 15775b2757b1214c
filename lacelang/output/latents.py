"""A group's latents as one safetensors file: where each image can be decoded again from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from attrs import frozen
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from lacelang.output.files import write_atomic

Float32 = NDArray[np.float32]


@frozen(eq=False)
class Trail:
    """Where edits took some samples: every w they came through, and which of them each style has.

    Attributes:
        w: truncated w before the first step and after each: float32 (N, P, d).
        taken: for each of those moments, which of the w every style has: int64 (P, styles).
    """

    w: Float32
    taken: NDArray[np.int64]

    @staticmethod
    def begun(w: Float32, styles: int) -> Trail:
        """Begin at w (N, d), the same for all styles."""
        return Trail(w[:, None], np.zeros((1, styles), np.int64))

    def gone(self, w: Float32, replaced: NDArray[np.bool_]) -> Trail:
        """Go on to w (N, d), which some of the styles (styles,) take."""
        taken = np.where(replaced, len(self.taken), self.taken[-1])
        return Trail(
            np.concatenate([self.w, w[:, None]], axis=1), np.concatenate([self.taken, taken[None]])
        )

    def styles(self, last: int = 1) -> Float32:
        """The styles w+ (N, last, styles, d) of the last moments, in their order."""
        return self.w[:, self.taken[-last:]]


@frozen(eq=False)
class Latents:
    """Row i belongs to sample i.

    Attributes:
        z: float32 (N, d), what the sampler ended at; of edited samples, before they were edited.
        w: what the decoder was given: float32 (N, d) truncated, or (N, styles, d).
        trail: of edited samples, how they came to be.
    """

    z: Float32
    w: Float32
    trail: Trail | None = None

    def __len__(self) -> int:
        return len(self.z)

    def first(self, count: int) -> Latents:
        """The first `count` rows."""
        return self.rows(slice(count))

    def rows(self, chosen: slice | Sequence[int]) -> Latents:
        """Some of the rows."""
        trail = self.trail
        kept = None if trail is None else Trail(trail.w[chosen], trail.taken)
        return Latents(self.z[chosen], self.w[chosen], kept)

    @staticmethod
    def joined(parts: Sequence[Latents]) -> Latents:
        """The rows of all `parts`, one after another."""
        z = np.concatenate([part.z for part in parts])
        w = np.concatenate([part.w for part in parts])
        trails = [part.trail for part in parts if part.trail is not None]
        if not trails:
            return Latents(z, w)
        gone = np.concatenate([trail.w for trail in trails])
        return Latents(z, w, Trail(gone, trails[0].taken))


def write_latents(path: Path, latents: Latents) -> None:
    """Write `latents`, whole or not at all.

    Raises:
        ResourceError: the disk is full, or the folder cannot be written.
    """
    arrays: dict[str, NDArray[Any]] = {"w": latents.w, "z": latents.z}
    if latents.trail is not None:
        arrays |= {"trail.w": latents.trail.w, "trail.taken": latents.trail.taken}
    write_atomic(path, save({name: np.ascontiguousarray(rows) for name, rows in arrays.items()}))


def read_latents(path: Path) -> Latents | None:
    """Return what `write_latents` wrote; None if it is missing or damaged."""
    try:
        arrays = load(path.read_bytes())
    except (OSError, SafetensorError):
        return None
    z, w = arrays.get("z"), arrays.get("w")
    if z is None or w is None or len(z) != len(w):
        return None
    gone, taken = arrays.get("trail.w"), arrays.get("trail.taken")
    if gone is None or taken is None:
        return Latents(z, w)
    if len(gone) != len(w) or gone.shape[1] != len(taken):
        return None
    return Latents(z, w, Trail(gone, taken))
