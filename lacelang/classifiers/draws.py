"""The latents that a label table is about: prior draws by seed, or a list of conditioned ones."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from lacelang.samplers.streams import prior, stream

# Purpose of the random stream that a label row's truncation comes from (0 and 1 are a sample's).
TRUNCATION_STREAM = 2
#: Truncations that prior rows are spread over: classifiers meet the default 0.7, the paper's 0.5
#: for editing, and 1, whose tails are where a conditioned sample at 0.7 ends up.
TRUNCATIONS = (0.5, 1.0)
# Conditioned latents are kept in steps of 1/32: the rounded latent is the one that is painted
# and labelled, so nothing is lost, and a row takes 512 bytes.
_STEP = 1 / 32


@frozen(eq=False)
class Draws:
    """Latents to label.

    Attributes:
        z: float32 (N, d).
        psi: float32 (N,), the truncation each is painted at.
    """

    z: NDArray[np.float32]
    psi: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.z)

    def rows(self, chosen: slice) -> Draws:
        """Some of them."""
        return Draws(self.z[chosen], self.psi[chosen])

    def fingerprint(self) -> str:
        """A short name that changes with any of the numbers."""
        return _digest(self.z, self.psi)


@frozen(eq=False)
class Painted:
    """What a decoder is given, where no latents z stand for it: of faces that were moved in w.

    Attributes:
        w: truncated, float32 (N, d), or (N, styles, d).
    """

    w: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.w)

    def rows(self, chosen: slice) -> Painted:
        """Some of them."""
        return Painted(self.w[chosen])

    def fingerprint(self) -> str:
        """A short name that changes with any of the numbers, and with their shape."""
        return _digest(np.array(self.w.shape), self.w)


@frozen(eq=False)
class Mirrored:
    """Faces whose pictures are looked at in a mirror.

    Attributes:
        faces: the faces themselves.
    """

    faces: Draws | Painted

    def __len__(self) -> int:
        return len(self.faces)

    def rows(self, chosen: slice) -> Mirrored:
        """Some of them."""
        return Mirrored(self.faces.rows(chosen))

    def fingerprint(self) -> str:
        """A short name that changes with any of the numbers, and is not that of the faces."""
        return f"{self.faces.fingerprint()}-mirrored"


def _digest(*arrays: NDArray[Any]) -> str:
    return hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()[:12]


def from_prior(seed: int, count: int, dim: int) -> Draws:
    """Rows 0 … count − 1 of the prior with this seed, truncation uniform in `TRUNCATIONS`."""
    low, high = TRUNCATIONS
    psi = [stream(seed, i, TRUNCATION_STREAM).uniform(low, high) for i in range(count)]
    return Draws(prior(seed, range(count), dim).numpy(), np.array(psi, np.float32))


def rounded(z: NDArray[np.float32]) -> NDArray[np.int8]:
    """Latents as int8 in steps of 1/32; what lies beyond ±3.97 is cut off."""
    steps: NDArray[np.int8] = np.clip(np.rint(z / _STEP), -127, 127).astype(np.int8)
    return steps


def unrounded(steps: NDArray[np.int8]) -> NDArray[np.float32]:
    """The latents that `rounded` stands for."""
    return steps.astype(np.float32) * np.float32(_STEP)
