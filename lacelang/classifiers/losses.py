"""The training loss of all heads at once; a label that is missing asks for nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from lacelang.classifiers.schema import Attribute

Scale = tuple[float, float]
Columns = Mapping[str, NDArray[np.float32]]

_MISSING = -100


class Targets:
    """Labels of N rows in the form that the loss wants them.

    Heads with equally many classes are scored together, since a dozen small operations a step
    would cost as much as the networks. A value is its output * scale + offset.
    """

    def __init__(
        self,
        attributes: Sequence[Attribute],
        places: Mapping[str, slice],
        columns: Columns,
        scales: Mapping[str, Scale],
    ) -> None:
        self.scales = scales
        self.groups: list[tuple[Tensor, Tensor]] = []
        discrete = [a for a in attributes if a.discrete]
        for width in sorted({a.width for a in discrete}):
            alike = [a for a in discrete if a.width == width]
            outputs = [list(range(places[a.name].start, places[a.name].stop)) for a in alike]
            classes = np.stack([columns[a.name] for a in alike], axis=1)
            classes = np.where(np.isnan(classes), _MISSING, classes)
            self.groups.append((torch.tensor(outputs), torch.from_numpy(classes).long()))
        numbers = [a.name for a in attributes if not a.discrete]
        self.outputs = torch.tensor([places[name].start for name in numbers], dtype=torch.long)
        values = np.zeros((len(next(iter(columns.values()))), len(numbers)), np.float32)
        for k, name in enumerate(numbers):
            scale, offset = scales[name]
            values[:, k] = (columns[name] - offset) / scale
        self.seen = torch.from_numpy(~np.isnan(values))
        self.values = torch.from_numpy(np.nan_to_num(values))

    def loss(self, raw: Tensor, rows: Tensor) -> Tensor:
        """The sum over heads of their mean loss, added up over members, of raw outputs (members, n,
        columns).

        Cross-entropy of a discrete head, squared error of a continuous one (LACE sec. 4), each
        averaged over those of the rows (n,) that have its label.
        """
        total = raw.new_zeros(())
        for outputs, classes in self.groups:
            wanted = classes[rows].expand(len(raw), -1, -1)
            logits = raw[:, :, outputs].permute(0, 3, 1, 2)
            each = F.cross_entropy(logits, wanted, reduction="none", ignore_index=_MISSING)
            total = total + _mean_over_rows(each, wanted != _MISSING)
        seen = self.seen[rows].expand(len(raw), -1, -1)
        error = (raw[:, :, self.outputs] - self.values[rows]) ** 2
        return total + _mean_over_rows(error * seen, seen)


def scales(
    attributes: Sequence[Attribute], columns: Columns, *, by_range: bool
) -> dict[str, Scale]:
    """(scale, offset) that bring each continuous attribute to order one.

    `by_range` maps low..high to 0..1, as the paper does; else mean goes to 0 and deviation to 1.
    """
    found = {}
    for a in attributes:
        if not a.discrete:
            moments = float(np.nanstd(columns[a.name])), float(np.nanmean(columns[a.name]))
            found[a.name] = (a.high - a.low, a.low) if by_range else moments
    return found


def _mean_over_rows(each: Tensor, seen: Tensor) -> Tensor:
    return (each.sum(dim=1) / seen.sum(dim=1).clamp(min=1)).sum()
