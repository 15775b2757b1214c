"""Faces to decode and annotate, as draws of latents."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from attrs import evolve, frozen
from numpy.typing import NDArray
from torch import Tensor

from lacelang.generators.generator import Generator
from lacelang.samplers.streams import prior, stream

# Purpose of the random stream that a label row's truncation comes from (0 and 1 are a sample's).
TRUNCATION_STREAM = 2
#: Range of the truncations of prior rows of a model whose default is 0.7: it holds that, the
#: paper's 0.5 for editing, and 1, in whose tails a conditioned sample at 0.7 ends up.
TRUNCATIONS = (0.5, 1.0)
_BELOW, _ABOVE = 0.2, 0.3
# Conditioned latents are stored in steps of 1/32, a byte a number. The rounded latent is the one
# that is decoded and labelled, so nothing is lost.
_STEP = 1 / 32
# Rows that are mapped at once.
_BATCH = 4096


@frozen(eq=False)
class Draws:
    """Faces to decode: latents z, float32 (N, d), with the truncation psi (N,) of each."""

    z: NDArray[np.float32]
    psi: NDArray[np.float32]

    @classmethod
    def at(cls, z: NDArray[np.float32], truncation: float) -> Draws:
        """Return latents (N, d), all with one truncation."""
        return cls(z, np.full(len(z), truncation, np.float32))

    def __len__(self) -> int:
        return len(self.z)

    def rows(self, chosen: slice | NDArray[np.int64]) -> Draws:
        """Some of them."""
        return evolve(self, z=self.z[chosen], psi=self.psi[chosen])

    def fingerprint(self) -> str:
        """A short digest of all numbers."""
        return digest(self.z, self.psi)

    def styles(self, generator: Generator) -> Tensor:
        """Truncated w (N, d')."""
        z, psi = (torch.split(torch.from_numpy(x), _BATCH) for x in (self.z, self.psi))
        with torch.inference_mode():
            batches = zip(map(generator.mapping, z), psi, strict=True)
            return torch.cat([generator.truncate(w, p[:, None]) for w, p in batches])

    def images(self, generator: Generator) -> Iterator[NDArray[np.uint8]]:
        """Decode the faces: uint8 (H, W, 3) each."""
        return generator.decode(self.styles(generator))


def joined(parts: Sequence[Draws]) -> Draws:
    """All draws, one part after another."""
    z, psi = (np.concatenate([getattr(part, name) for part in parts]) for name in ("z", "psi"))
    return evolve(parts[0], z=z, psi=psi)


def truncations_around(default: float) -> tuple[float, float]:
    """Range of the truncations of prior rows of a model with this default."""
    return round(max(default - _BELOW, 0.1), 6), round(min(default + _ABOVE, 1.0), 6)


def from_prior(
    seed: int, count: int, dim: int, truncations: tuple[float, float] = TRUNCATIONS
) -> Draws:
    """Rows 0 … count − 1 of the prior with this seed, truncation uniform in a range."""
    return at_indices(seed, range(count), dim, truncations)


def at_indices(
    seed: int,
    indices: Sequence[int],
    dim: int,
    truncations: tuple[float, float] = TRUNCATIONS,
) -> Draws:
    """Some rows of the prior with this seed; see `from_prior`."""
    low, high = truncations
    psi = [stream(seed, i, TRUNCATION_STREAM).uniform(low, high) for i in indices]
    return Draws(prior(seed, indices, dim).numpy(), np.array(psi, np.float32))


def rounded(z: NDArray[np.float32]) -> NDArray[np.int8]:
    """Latents as int8 in steps of 1/32; what lies beyond ±3.97 is cut off."""
    steps: NDArray[np.int8] = np.clip(np.rint(z / _STEP), -127, 127).astype(np.int8)
    return steps


def unrounded(steps: NDArray[np.int8]) -> NDArray[np.float32]:
    """The latents that `rounded` stands for."""
    return steps.astype(np.float32) * np.float32(_STEP)


def digest(*arrays: NDArray[Any]) -> str:
    """A short digest of all numbers."""
    return hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()[:32]
