"""Arguments from Python: plain values made of what numpy, torch and Python take for the same.

Each function takes an argument and its name, and returns the plain value, or raises a `UsageError`
that says what the argument takes. Neither numpy nor torch is imported: what they make is known by
what it can do.
"""

from __future__ import annotations

import math
import numbers
import operator
import os
import re
from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from lacelang.errors import UsageError
from lacelang.system.filenames import on_disk

Name = TypeVar("Name", bound=str)

CLUSTER = re.compile(r"ray://(?:[\w.-]+|\[[0-9a-fA-F:.]+\]):[0-9]{1,5}")
"""The address of a cluster's client server, ray://HOST:PORT."""


def item(value: object) -> object:
    """Return the Python value in a numpy scalar, a 0-d array or a tensor of one number.

    Anything else is returned as it is, and so are dates and durations.
    """
    shape, read = getattr(value, "shape", None), getattr(value, "item", None)
    if isinstance(value, type) or not callable(read) or not isinstance(shape, tuple):
        return value
    single = shape == () or (hasattr(value, "numel") and all(size == 1 for size in shape))
    if not single or getattr(getattr(value, "dtype", None), "kind", "") in ("m", "M"):
        return value
    try:
        return read()
    except Exception:
        # A tensor without numbers: on the device `meta`, or inside a transform.
        return value


def whole(value: object, name: str, least: int, most: int, range_: str) -> int:
    """Return a whole number from `least` to `most`, which `range_` says in words."""
    plain = item(value)
    try:
        number = None if isinstance(plain, bool) else operator.index(plain)  # type: ignore[arg-type]
    except Exception:
        number = None
    if number is None or not least <= number <= most:
        refuse(value, name, f"is a whole number {range_}")
    return number


def real(value: object, name: str) -> int | float:
    """Return a finite number: an int for what is whole by its type, else a float.

    Fractions and decimals are numbers too; truth values are not.
    """
    plain = item(value)
    if isinstance(plain, bool) or not isinstance(plain, numbers.Real | Decimal):
        refuse(value, name, "is a number")
    try:
        number = float(plain)
    except (OverflowError, ValueError):
        number = math.nan
    except TypeError:
        # A duration of numpy's says that it is a number.
        refuse(value, name, "is a number")
    if not math.isfinite(number):
        raise UsageError(
            f"`{name}` is a finite number of float64's range, not {shown(value)}", name
        )
    return int(plain) if isinstance(plain, numbers.Integral) else number


def text(value: object, name: str, kind: str) -> str:
    """Return a text; `kind` says what it is, e.g. `the name of a group`."""
    plain = item(value)
    if not isinstance(plain, str):
        refuse(value, name, f"is {kind}")
    # A subclass may print as something else.
    return str.__str__(plain)


def texts(value: object, name: str, kind: str) -> tuple[str, ...]:
    """Return several texts; one alone stands for itself."""
    if isinstance(item(value), str):
        return (text(value, name, kind),)
    members = several(value, name, f"{kind}, or several in a list")
    return tuple(text(each, name, kind) for each in members)


def several(value: object, name: str, kind: str) -> tuple[Any, ...]:
    """Return the members of a list, a set, an array, or whatever else yields them."""
    if isinstance(value, str | bytes | bytearray) or not isinstance(value, Iterable):
        refuse(value, name, f"is {kind}")
    try:
        return tuple(value)
    except TypeError:
        # An array or a tensor without dimensions.
        refuse(value, name, f"is {kind}")


def flag(value: object, name: str) -> bool:
    """Return a truth value."""
    plain = item(value)
    if not isinstance(plain, bool):
        refuse(value, name, "is True or False")
    return plain


def path(value: object, name: str, kind: str = "a file") -> Path:
    """Return a path, given as a string or as anything with `__fspath__`."""
    plain = item(value)
    try:
        found = os.fspath(plain) if isinstance(plain, str | os.PathLike) else None
        found = on_disk(found) if isinstance(found, str) else None
    except Exception:
        # No path at all, or one with characters that no file's name has.
        found = None
    if not isinstance(found, str) or not found or "\0" in found:
        refuse(value, name, f"is the path of {kind}, as a string or a Path")
    return Path(str.__str__(found))


def mapping(value: object, name: str, kind: str) -> Mapping[Any, Any]:
    """Return a mapping; None is an empty one."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        refuse(value, name, f"is a mapping of {kind}")
    return value


def device(value: object, known: Collection[Name]) -> Name:
    """Return the name of a device, given as text or as a `torch.device`."""
    plain = item(value)
    if type(value).__module__ == "torch" and getattr(value, "index", 0) in (None, 0):
        plain = getattr(value, "type", None)
    for name in known:
        if isinstance(plain, str) and plain == name:
            return name
    message = f"no device {shown(value)}; `device` is one of: {', '.join(known)}"
    raise UsageError(message, "device")


def refuse(value: object, name: str, wanted: str) -> NoReturn:
    """Raise a UsageError that says what an argument takes, and what it was given."""
    raise UsageError(f"`{name}` {wanted}, not {shown(value)}", name)


def shown(value: object) -> str:
    """Return how a value of Python's is named in a message: by its kind, if it is long."""
    try:
        written = repr(value)
    except Exception:
        # Whole numbers of thousands of digits are not written, and a repr may fail.
        written = "\n"
    if len(written) <= 60 and "\n" not in written:
        return written
    return f"a value of the type {type(value).__name__}"
