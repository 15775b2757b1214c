"""Reading programs from files and from standard input."""

from __future__ import annotations

import sys
from argparse import ArgumentTypeError
from pathlib import Path

from attrs import frozen

from lacelang.errors import LaceError, UsageError

STDIN = "-"


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
        LaceError: it is not UTF-8 text.
    """
    try:
        data = sys.stdin.buffer.read() if name == STDIN else Path(name).read_bytes()
    except FileNotFoundError as error:
        raise UsageError(f"no such file: {name}") from error
    except IsADirectoryError as error:
        raise UsageError(f"{name} is a folder, not a program") from error
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read {name}: {error}") from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise LaceError(f"{name} is not UTF-8 text: byte {error.start}, line {line}") from error
    return Source(text, None if name == STDIN else Path(name))
