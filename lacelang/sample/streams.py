"""Random numbers that belong to a sample: a function of seed, index and purpose alone.

Philox is counter-based: the key (seed, index) selects a stream, and the counter's top word the
purpose, so that no two streams ever overlap and none has to be drawn to reach another.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from numpy.random import Generator, Philox
from torch import Tensor

from lacelang.errors import UsageError

PRIOR = 0
NOISE = 1

_WORD = 2**64


def stream(seed: int, index: int, purpose: int) -> Generator:
    """Return the generator of one sample for one purpose.

    Raises:
        UsageError: the seed or the index is not in 0 .. 2^64 - 1.
    """
    for name, value in (("seed", seed), ("sample index", index)):
        if not 0 <= value < _WORD:
            raise UsageError(f"a {name} is a whole number from 0 to 2^64 - 1, not {value}")
    key = np.array([seed, index], dtype=np.uint64)
    counter = np.array([0, 0, 0, purpose], dtype=np.uint64)
    return Generator(Philox(key=key, counter=counter))


def prior(seed: int, indices: Iterable[int], dim: int) -> Tensor:
    """Draw latents from N(0, I).

    Args:
        seed: of the run.
        indices: numbers of the samples.
        dim: dimension of the latent space.

    Returns:
        float32 (N, dim) on the CPU; row k depends on the seed and on indices[k] alone.

    Raises:
        UsageError: the seed or an index is not in 0 .. 2^64 - 1.
    """
    rows = [stream(seed, i, PRIOR).standard_normal(dim, dtype=np.float32) for i in indices]
    return torch.from_numpy(np.stack(rows)) if rows else torch.empty(0, dim)


class Streams:
    """The noise of a batch of samples, one stream each, drawn step by step.

    Args:
        seed: of the run.
        indices: numbers of the samples, in the order of the batch.

    Raises:
        UsageError: the seed or an index is not in 0 .. 2^64 - 1.
    """

    def __init__(self, seed: int, indices: Iterable[int]) -> None:
        self._generators = [stream(seed, index, NOISE) for index in indices]

    def __len__(self) -> int:
        return len(self._generators)

    def normal(self, rows: Sequence[int], like: Tensor) -> Tensor:
        """Draw the next standard normal vector of the given rows of the batch.

        Args:
            rows: positions in the batch, n of them.
            like: (n, d), whose dtype and device the result takes.
        """
        drawn = np.empty(like.shape, dtype=np.float32)
        for place, row in enumerate(rows):
            self._generators[row].standard_normal(out=drawn[place], dtype=np.float32)
        return torch.from_numpy(drawn).to(like)
