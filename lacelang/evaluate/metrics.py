"""Metrics of whole groups, in one table: to add one is to write a function of judged groups."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from lacelang.evaluate.judged import Judged


def obedience(groups: Sequence[Judged]) -> float:
    """Share of the faces that show the whole condition."""
    return float(np.concatenate([one.satisfied for one in groups]).mean())


#: What is printed of groups of one condition, in this order, as `0.981 show the whole condition`.
METRICS: Mapping[str, Callable[[Sequence[Judged]], float]] = {
    "show the whole condition": obedience,
}
