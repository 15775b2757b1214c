"""Texts of programs, read within bounds."""

from __future__ import annotations

from io import BufferedIOBase
from pathlib import Path

MOST = 4 << 20
"""Bytes of a program's file, and characters of its text: a thousand times a long one."""

TOO_LONG = "is longer than 4 MiB"
REMEDY = "split it into several programs"


class TooLongError(ValueError):
    """A file holds more than a program may."""


def read_file(file: Path) -> bytes:
    """Return what a file holds; what is beyond `MOST` is not read, for it may never end."""
    with file.open("rb") as stream:
        return read_stream(stream)


def read_stream(stream: BufferedIOBase) -> bytes:
    """Return what is left of a stream of bytes; see `read_file`."""
    data = stream.read(MOST + 1)
    if len(data) > MOST:
        raise TooLongError(TOO_LONG)
    return data
