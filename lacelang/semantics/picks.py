"""The samples that a `pick` names."""

from __future__ import annotations

from collections.abc import Sequence

from lacelang.semantics.context import Frame
from lacelang.semantics.values import Limits, limited
from lacelang.syntax import nodes


def picked(
    values: Sequence[nodes.Value], group: str, count: int | None, most: int, frame: Frame
) -> tuple[int, ...]:
    """Return the numbers of samples that are named, or raise `LostError` where one is wrong.

    The group has `count` samples; None where the program alone does not say it. No group has more
    than `most`.
    """
    limits = Limits("LACE205", 0, most - 1, whole=True)
    found: dict[int, None] = {}
    for value in values:
        index = int(limited(value, "the number of a sample", limits, frame))
        if count is not None and index >= count:
            message = f"`{group}` has no sample {index}"
            how = "a single sample, 0" if count == 1 else f"the samples 0 to {count - 1}"
            raise frame.say("LACE223", message, value, f"it has {how}")
        if index in found:
            message = f"sample {index} is picked already"
            raise frame.say("LACE223", message, value, "name each sample once")
        found[index] = None
    return tuple(found)
