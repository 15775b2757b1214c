"""What records of the program have in common: how they are compared and shown.

attrs writes and compiles these methods for every class. There are so many classes of nodes that
this would take a tenth of the time of checking a short program; here they are written once.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any, NamedTuple

from attrs import fields


class Record:
    """Base of frozen attrs classes that are made with `eq=False, repr=False`.

    Two records are equal when their classes are the same and all their fields are, but those that
    say `eq=False`.
    """

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        compared = _names(self.__class__).compared
        return bool(compared(self) == compared(other))

    def __hash__(self) -> int:
        return hash((self.__class__, _names(self.__class__).hashed(self)))

    def __repr__(self) -> str:
        names = _names(self.__class__).shown
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{type(self).__name__}({shown})"


class _Names(NamedTuple):
    compared: Callable[[Any], object]
    hashed: Callable[[Any], object]
    shown: tuple[str, ...]


_KNOWN: dict[type[Any], _Names] = {}


def _names(kind: type[Any]) -> _Names:
    """Return how to read a class's fields, by what they take part in."""
    known = _KNOWN.get(kind)
    if known is None:
        every = fields(kind)
        known = _KNOWN[kind] = _Names(
            _values(*(a.name for a in every if a.eq)),
            _values(*(a.name for a in every if (a.eq if a.hash is None else a.hash))),
            tuple(a.name for a in every if a.repr),
        )
    return known


def _values(*names: str) -> Callable[[Any], object]:
    return attrgetter(*names) if names else _nothing


def _nothing(record: Any) -> object:
    return ()
