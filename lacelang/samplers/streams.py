"""Random numbers that belong to a sample: a function of seed, index and purpose alone.

Philox is counter-based: the key (seed, index) selects a stream, and the counter's upper words the
purpose and a part of it, so that no two streams ever overlap and none has to be drawn to reach
another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby

import numpy as np
import torch
from numpy.random import Generator, Philox
from torch import Tensor

from lacelang.errors import UsageError

PRIOR = 0
NOISE = 1
# 2 is the truncation of a row of labels.
CHANCE = 3
PILOT_NOISE = 4
PILOT_CHANCE = 5
PRIOR_SAMPLE = 6
COMPONENT = 7
PERMUTATION = 8
DRAWN = 9

_WORD = 2**64


def stream(seed: int, index: int, purpose: int, part: int = 0) -> Generator:
    """Return the generator of one sample for one purpose, or for one part of it."""
    for name, value in (("seed", seed), ("sample index", index)):
        if not 0 <= value < _WORD:
            raise UsageError(f"a {name} is a whole number from 0 to 2^64 - 1, not {value}")
    key = np.array([seed, index], dtype=np.uint64)
    counter = np.array([0, 0, part, purpose], dtype=np.uint64)
    return Generator(Philox(key=key, counter=counter))


def prior(seed: int, indices: Iterable[int], dim: int, part: int = 0) -> Tensor:
    """Draw latents from N(0, I), float32 (N, dim) on the CPU.

    Row k depends on the seed of the run and on indices[k] alone; both lie in 0 .. 2^64 - 1. Parts
    after the first are further draws of the same samples.
    """
    rows = [stream(seed, i, PRIOR, part).standard_normal(dim, dtype=np.float32) for i in indices]
    return torch.from_numpy(np.stack(rows)) if rows else torch.empty(0, dim)


class Streams:
    """The noise of a batch of samples, those numbered `indices`, drawn step by step.

    Each has a stream of normal vectors and one of single numbers (`purposes`), so that the number
    of vectors drawn ahead does not matter.
    """

    def __init__(
        self,
        seed: int,
        indices: Iterable[int],
        purposes: tuple[int, int] = (NOISE, CHANCE),
        part: int = 0,
    ) -> None:
        indices = list(indices)
        self._seed = seed
        self._noise = [stream(seed, index, purposes[0], part) for index in indices]
        self._chance = [stream(seed, index, purposes[1], part) for index in indices]

    def __len__(self) -> int:
        return len(self._noise)

    def pilot(self, count: int) -> Streams:
        """Return the streams of a pilot run, which depend on the seed alone."""
        return Streams(self._seed, range(count), (PILOT_NOISE, PILOT_CHANCE))

    def normal(self, rows: Sequence[int], like: Tensor) -> Tensor:
        """Draw the next standard normal vectors of n rows of the batch, as `like` (n, d) is.

        A row that is there twice gets two vectors.
        """
        drawn = np.empty(like.shape, dtype=np.float32)
        for row, places in _runs(rows):
            self._noise[row].standard_normal(out=drawn[places], dtype=np.float32)
        return torch.from_numpy(drawn).to(like)

    def exponential(self, rows: Sequence[int]) -> Tensor:
        """Draw the next Exp(1) number of the given rows, float64 (n,) on the CPU.

        It exceeds x with probability e^-x, without an exponential whose rounding may depend on the
        batch.
        """
        return self._numbers(rows, Generator.standard_exponential)

    def uniform(self, rows: Sequence[int]) -> Tensor:
        """Draw the next number of the given rows, uniform in [0, 1), float64 (n,) on the CPU."""
        return self._numbers(rows, Generator.random)

    def _numbers(self, rows: Sequence[int], draw: Callable[..., object]) -> Tensor:
        drawn = np.empty(len(rows))
        for row, places in _runs(rows):
            draw(self._chance[row], out=drawn[places])
        return torch.from_numpy(drawn)


def _runs(rows: Sequence[int]) -> Iterator[tuple[int, slice]]:
    """Runs of equal rows, each with its place."""
    start = 0
    for row, group in groupby(rows):
        stop = start + sum(1 for _ in group)
        yield row, slice(start, stop)
        start = stop


def owned(streams: Streams | None, count: int, sampler: str) -> Streams:
    """Return `streams`; a UsageError unless there is one for each of `count` samples."""
    if streams is None or len(streams) != count:
        raise UsageError(f"{sampler} needs a random stream for every sample")
    return streams
