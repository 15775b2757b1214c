"""How the values of an attribute are spread among draws from the prior, by a model's labels.

Only the file of labels beside the model's classifiers is read, as data and without torch: the
labels of its prior rows, which annotators have seen in the decoded images.
"""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path

from attrs import frozen

from lacelang import ir
from lacelang.semantics.weights import beside_classifiers
from lacelang.text.names import nfc

BINS = 24
"""Bars of the picture of a continuous attribute."""

_BARS = "▁▂▃▄▅▆▇█"
_FORMAT = "lacelang-labels-1"
_LARGEST = 64 << 20
"""Bytes of a file of labels that is read while somebody types."""


@frozen
class Distribution:
    """The values of an attribute in images of draws from the prior.

    Attributes:
        count: of draws in which the attribute could be seen.
        shares: of each class, or of equal parts of the attribute's range.
        quantiles: the 2nd, 50th and 98th percentile of a continuous attribute, in its unit.
    """

    count: int
    shares: tuple[float, ...]
    quantiles: tuple[float, float, float] | None = None

    @property
    def sparkline(self) -> str:
        """The shares as blocks, the highest for the largest."""
        top = max(self.shares)
        steps = len(_BARS) - 1
        return "".join(_BARS[math.ceil(steps * min(share / top, 1))] for share in self.shares)


def distribution(model: ir.ModelSpec, attribute: ir.Attribute) -> Distribution | None:
    """Return how an attribute is spread under a model's prior; None where no labels say so."""
    try:
        file = beside_classifiers(model, "labels")
        status = file.stat()
        if not file.is_file() or status.st_size > _LARGEST:
            return None
        column = _prior_labels(file, status.st_mtime_ns, attribute.name)
    except Exception:
        # A file that is no table of labels has nothing to say, whatever the reader says of it.
        return None
    return None if column is None else _spread(attribute, column)


@lru_cache(maxsize=256)
def _prior_labels(file: Path, changed: int, name: str) -> tuple[float, ...] | None:
    """Return the labels of the prior rows that were seen; `changed` tells versions apart."""
    from safetensors import safe_open

    with safe_open(file, framework="np") as table:
        header = table.metadata() or {}
        keys = {nfc(key): key for key in table.keys()}  # noqa: SIM118
        if header.get("format") != _FORMAT or f"label.{name}" not in keys:
            return None
        column = table.get_slice(keys[f"label.{name}"])[: int(header["prior_count"])]
    return tuple(value for value in map(float, column) if math.isfinite(value))


def _spread(attribute: ir.Attribute, column: tuple[float, ...]) -> Distribution | None:
    if not column:
        return None
    if attribute.limits is None:
        counts = [column.count(value) for value in range(attribute.width)]
    else:
        low, high = attribute.limits
        counts = [0] * BINS
        for value in column:
            counts[min(max(int((value - low) / (high - low) * BINS), 0), BINS - 1)] += 1
    if not any(counts):
        return None
    shares = tuple(count / len(column) for count in counts)
    if attribute.limits is None:
        return Distribution(len(column), shares)
    ordered = sorted(column)
    low, middle, high = (ordered[round(share * (len(ordered) - 1))] for share in (0.02, 0.5, 0.98))
    return Distribution(len(column), shares, (low, middle, high))
