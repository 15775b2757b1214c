"""Reading programs from files and from standard input."""

from __future__ import annotations

import errno
import sys
from argparse import ArgumentTypeError
from pathlib import Path

from attrs import frozen

from lacelang.errors import Diagnostic, LaceError, ResourceError, Span, UsageError

STDIN = "-"

MOST_BYTES = 16_000_000
"""More than the text of any program takes; a device such as /dev/zero never ends."""


def path_argument(text: str) -> Path:
    """Read the path of an option; an empty one would mean the current folder."""
    if not text:
        raise ArgumentTypeError("a path is not empty; `.` is the current folder")
    return Path(text)


@frozen
class Source:
    """A program's text and where it came from; `path` is None for standard input."""

    text: str
    path: Path | None

    @property
    def name(self) -> str:
        """What the run of it is called: the file's name without its ending."""
        return self.path.stem if self.path is not None else "stdin"


def read_source(name: str) -> Source:
    """Read the file `name`, or standard input for `-`.

    Raises:
        UsageError: there is no such file, or it cannot be read.
        ResourceError: the disk fails.
        LaceError: it is not UTF-8 text, or too large.
    """
    if not name:
        raise UsageError("a program's file has a name, not an empty one")
    shown = "standard input" if name == STDIN else name
    try:
        data = _standard_input() if name == STDIN else _start_of(Path(name))
    except FileNotFoundError as error:
        raise UsageError(f"no such file: {shown}") from error
    except IsADirectoryError as error:
        raise UsageError(f"{shown} is a folder, not a program") from error
    except ValueError as error:
        raise UsageError(f"cannot read {shown}: {error}") from error
    except OSError as error:
        reason = f"cannot read {shown}: {(error.strerror or str(error)).lower()}"
        if error.errno == errno.EIO:
            raise ResourceError(reason) from error
        raise UsageError(reason) from error
    if len(data) > MOST_BYTES:
        raise LaceError(f"{shown} is too large for a program: more than {MOST_BYTES} bytes")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise LaceError(f"{shown} is not UTF-8 text: byte {error.start}, line {line}") from error
    return Source(text, None if name == STDIN else Path(name))


def unreadable(name: str, error: LaceError) -> Diagnostic:
    """Return the diagnostic of a file that `read_source` did not read."""
    return Diagnostic("LACE014", str(error), Span(1, 1, 1, 2), path=name)


def _start_of(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MOST_BYTES + 1)


def _standard_input() -> bytes:
    # A stream that somebody put in place may hold text alone.
    buffer = getattr(sys.stdin, "buffer", None)
    if buffer is None:
        return sys.stdin.read(MOST_BYTES + 1).encode("utf-8", "surrogateescape")
    data: bytes = buffer.read(MOST_BYTES + 1)
    return data
