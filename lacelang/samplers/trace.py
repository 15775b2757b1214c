"""A few points of each sample's way through a sampler: energies, and what they cost so far."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import torch
from attrs import frozen
from torch import Tensor

_ALL, _EACH = 16, 8
"""Of the first steps every one is kept, and of each further octave so many."""


def slot_of(step: int) -> int | None:
    """Return which point of a trace step 0, 1, … of a sample is; None of most steps.

    It does not depend on how many steps there will be, so that a trace depends on its own sample
    alone: 16 points for 16 steps, 8 for each time that these double, 72 for 2000.
    """
    if step < _ALL:
        return step
    octave = step.bit_length() - _ALL.bit_length()
    place, between = divmod(step - (_ALL << octave), (_ALL << octave) // _EACH)
    return None if between else _ALL + octave * _EACH + place


class Points:
    """Where N samples were at some of their steps, in a few tensors whatever the number of steps.

    Energies are those of `like` (N,) in type and device.
    """

    def __init__(self, like: Tensor) -> None:
        self._like = like
        self._energy: list[Tensor] = []  # (slots, N) each
        self._costs: list[Tensor] = []  # (slots, 3, N) each, -1 where nothing was noted

    def note(self, slot: int, rows: Tensor, energy: Tensor, costs: Sequence[Tensor]) -> None:
        """Note energies (n,) and costs (n,) of the samples at `rows` (n,)."""
        chunk, place = (0, slot) if slot < _ALL else divmod(slot - _ALL + _EACH, _EACH)
        while len(self._energy) <= chunk:
            self._grow(_EACH if self._energy else _ALL)
        self._energy[chunk][place, rows] = energy.detach().to(self._like)
        self._costs[chunk][place][:, rows] = torch.stack(list(costs)).to(torch.int32)

    def trace(self) -> Trace:
        """Return all that was noted."""
        if not self._energy:
            return Trace.none()
        return Trace(torch.cat(self._energy).cpu(), torch.cat(self._costs).cpu())

    def _grow(self, slots: int) -> None:
        count, device = len(self._like), self._like.device
        self._energy.append(self._like.new_full((slots, count), math.nan))
        costs = torch.full((slots, 3, count), -1, dtype=torch.int32, device=device)
        self._costs.append(costs)


@frozen(eq=False)
class Trace:
    """Points of N samples, those of each in order.

    Attributes:
        energy: in nats, as the sampler sees it, (P, N).
        costs: evaluations, accepted and rejected steps so far, int32 (P, 3, N), see `Stats`; -1
            where a sample has no such point.
    """

    energy: Tensor
    costs: Tensor

    @classmethod
    def none(cls) -> Trace:
        """Return the trace of a sampler that notes nothing."""
        return cls(torch.zeros(0, 0), torch.zeros(0, 3, 0, dtype=torch.int32))

    @classmethod
    def joined(cls, parts: Iterable[tuple[Trace, Sequence[int]]]) -> Trace:
        """Join traces of parts of a batch, each with the positions of its samples there."""
        known = [(trace, rows) for trace, rows in parts if len(trace.energy)]
        if not known:
            return cls.none()
        most = max(len(trace.energy) for trace, _ in known)
        count = 1 + max(max(rows) for _, rows in known)
        energy = known[0][0].energy.new_full((most, count), math.nan)
        costs = torch.full((most, 3, count), -1, dtype=torch.int32)
        for trace, rows in known:
            energy[: len(trace.energy), list(rows)] = trace.energy
            costs[: len(trace.costs)][:, :, list(rows)] = trace.costs
        return cls(energy, costs)

    def then(self, later: Trace, nfe: Tensor, accepted: Tensor, rejected: Tensor) -> Trace:
        """Return this trace and a later one, before which the samples (N,) had cost so much."""
        if not len(later.energy):
            return self
        spent = torch.stack([nfe, accepted, rejected]).to(torch.int32)
        shifted = torch.where(later.costs < 0, later.costs, later.costs + spent)
        if not len(self.energy):
            return Trace(later.energy, shifted)
        return Trace(torch.cat([self.energy, later.energy]), torch.cat([self.costs, shifted]))

    def of_row(self, row: int) -> tuple[list[float], list[int], list[int], list[int]]:
        """Return the energies, evaluations, accepted and rejected steps of one sample."""
        if row >= self.energy.shape[1]:
            return [], [], [], []
        kept = self.costs[:, 0, row] >= 0
        nfe, accepted, rejected = self.costs[kept, :, row].T.tolist()
        return self.energy[kept, row].tolist(), nfe, accepted, rejected
