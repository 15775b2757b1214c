"""What was computed for an object, kept as long as the object lives."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from threading import RLock
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

Owner = TypeVar("Owner")
Value = TypeVar("Value")


class Memory(Generic[Owner, Value]):
    """The last few values of each owner, by key.

    Args:
        most: how many values of one owner are kept; the oldest goes first.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = RLock()
        self._kept: WeakKeyDictionary[Owner, dict[Hashable, Value]] = WeakKeyDictionary()

    def get(self, owner: Owner, key: Hashable, make: Callable[[], Value]) -> Value:
        """Return the value of `key`, made now if it is not there; `make` may raise."""
        # Others that ask for the same meanwhile wait for it.
        with self._lock:
            values = self._kept.setdefault(owner, {})
            if key not in values:
                value = make()
                while len(values) >= self._most:
                    del values[next(iter(values))]
                values[key] = value
            return values[key]
