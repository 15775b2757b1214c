"""Reading programs from files and from standard input."""

from __future__ import annotations

import errno
import io
import os
import sys
from argparse import ArgumentTypeError
from pathlib import Path

from attrs import frozen

from lacelang.errors import Diagnostic, LaceError, ResourceError, Span, UsageError
from lacelang.system.sources import MOST, TooLongError, read_file, read_stream

STDIN = "-"


def path_argument(text: str) -> Path:
    """Read the path of an option; an empty one would mean the current folder."""
    if not text:
        raise ArgumentTypeError("a path is not empty; `.` is the current folder")
    return Path(text)


def text_argument(text: str) -> str:
    """Read a name; one that the locale cannot hold is UTF-8, as programs are."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return os.fsencode(text).decode(errors="surrogateescape")
    return text


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
        LaceError: it is not UTF-8 text, or too long for a program.
    """
    if not name:
        raise UsageError("a program's file has a name, not an empty one")
    shown = "standard input" if name == STDIN else name
    try:
        data = _standard_input() if name == STDIN else read_file(Path(name))
    except FileNotFoundError as error:
        raise UsageError(f"no such file: {shown}") from error
    except IsADirectoryError as error:
        raise UsageError(f"{shown} is a folder, not a program") from error
    except TooLongError as error:
        raise LaceError(f"{shown} {error}, and no program is") from error
    except ValueError as error:
        raise UsageError(f"cannot read {shown}: {error}") from error
    except OSError as error:
        reason = f"cannot read {shown}: {(error.strerror or str(error)).lower()}"
        if error.errno == errno.EIO:
            raise ResourceError(reason) from error
        raise UsageError(reason) from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise LaceError(f"{shown} is not UTF-8 text: byte {error.start}, line {line}") from error
    return Source(text, None if name == STDIN else Path(name))


def unreadable(name: str, error: LaceError) -> Diagnostic:
    """Return the diagnostic of a file that `read_source` did not read."""
    return Diagnostic("LACE014", str(error), Span(1, 1, 1, 2), path=name)


def _standard_input() -> bytes:
    # A stream that somebody put in place may hold text alone.
    buffer = getattr(sys.stdin, "buffer", None)
    if buffer is not None:
        return read_stream(buffer)
    return read_stream(io.BytesIO(sys.stdin.read(MOST + 1).encode("utf-8", "surrogateescape")))
