"""A few points of each sample's way through a sampler: energies, and what they cost so far."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from attrs import frozen
from torch import Tensor

_ALL = 16
"""Of the first steps every one is kept; of each further octave, half as many."""


def is_kept(step: int) -> bool:
    """Whether step 0, 1, … of a sample is a point of its trace.

    It does not depend on how many steps there will be, so that a trace depends on its own sample
    alone: 16 points for 16 steps, 8 for each time that these double, 72 for 2000.
    """
    return step < _ALL or step % (1 << (step.bit_length() - _ALL.bit_length() + 1)) == 0


@frozen(eq=False)
class Trace:
    """Points of N samples, all of them one after another; those of one sample are in order.

    Attributes:
        rows: the sample's position in the batch, int64 (P,).
        energy: in nats, as the sampler sees it, (P,).
        nfe, accepted, rejected: what the sample cost so far, int64 (P,); see `Stats`.
    """

    rows: Tensor
    energy: Tensor
    nfe: Tensor
    accepted: Tensor
    rejected: Tensor

    @classmethod
    def of(cls, points: Sequence[Sequence[Tensor]]) -> Trace:
        """Return the trace of points that were noted together, the five tensors of each."""
        if not points:
            return cls.none()
        rows, energy, *costs = (torch.cat(list(each)) for each in zip(*points, strict=True))
        return cls(rows.cpu(), energy.cpu(), *(cost.cpu() for cost in costs))

    @classmethod
    def none(cls) -> Trace:
        """Return the trace of a sampler that notes nothing."""
        whole = torch.zeros(0, dtype=torch.int64)
        return cls(whole, torch.zeros(0), whole, whole, whole)

    @classmethod
    def joined(cls, parts: Iterable[tuple[Trace, Sequence[int]]]) -> Trace:
        """Join traces of parts of a batch, each with the positions of its samples there."""
        points = [
            (torch.tensor(rows, dtype=torch.int64)[each.rows], *each._rest) for each, rows in parts
        ]
        return cls.of([(rows, energy.double(), *costs) for rows, energy, *costs in points])

    def then(self, later: Trace, nfe: Tensor, accepted: Tensor, rejected: Tensor) -> Trace:
        """Return this trace and a later one, before which the samples (N,) had cost so much."""
        shifted = (
            cost + before[later.rows]
            for cost, before in zip(
                (later.nfe, later.accepted, later.rejected), (nfe, accepted, rejected), strict=True
            )
        )
        first = (self.rows, self.energy.double(), self.nfe, self.accepted, self.rejected)
        return Trace.of([first, (later.rows, later.energy.double(), *shifted)])

    @property
    def _rest(self) -> tuple[Tensor, ...]:
        return self.energy, self.nfe, self.accepted, self.rejected

    def of_row(self, row: int) -> tuple[list[float], list[int], list[int], list[int]]:
        """Return the energies, evaluations, accepted and rejected steps of one sample."""
        own = self.rows == row
        energy, *costs = (each[own].tolist() for each in self._rest)
        nfe, accepted, rejected = costs
        return energy, nfe, accepted, rejected
