"""A value that is made in the background, while a person types."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from lacelang.system.threads import in_background

T = TypeVar("T")


class Later(Generic[T]):
    """What `make` returns: made in the background once it is begun, or when somebody asks for it.

    An error of `make` is raised for whoever asks.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._value: T | None = None

    def begin(self, then: Callable[[T], object]) -> None:
        """Begin to make it, and pass it on when it is there."""

        def work() -> None:
            try:
                value = self.get()
            except Exception:
                return  # raised again where it is asked for
            then(value)

        in_background(work, "later")

    @property
    def now(self) -> T | None:
        """The value if it is there; None else."""
        return self._value

    def get(self) -> T:
        """Return the value, and wait for it if need be."""
        with self._lock:
            if self._value is None:
                self._value = self._make()
            return self._value
