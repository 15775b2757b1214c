"""The state of a network in a published file: its tensors by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lacelang.storage.published.records import Record, refuse
from lacelang.storage.published.tensors import tensor


def entries(value: Any) -> Mapping[Any, Any]:
    """Return what is under the keys of a dictionary, or of one of its subclasses."""
    found = value.items if isinstance(value, Record) else value
    if not isinstance(found, Mapping):
        refuse("it holds no dictionary where one is needed")
    return found


def state(value: Any) -> dict[str, NDArray[Any]]:
    """Return the tensors of a network's state by name.

    Raises:
        RefusedError: it is none, or a number in it is not finite.
    """
    found = {str(name): tensor(each) for name, each in entries(value).items()}
    if not all(np.isfinite(each).all() for each in found.values()):
        refuse("a weight is not finite")
    return found
