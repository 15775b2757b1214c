"""Files of JSON lines that only grow: a line is there whole, or it is not there."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from lacelang.storage.files import disk_error
from lacelang.storage.records import plain

T = TypeVar("T")

_LONGEST = 16 << 20


class Lines(Generic[T]):
    """A file with one JSON object a line, each an attrs class of one kind.

    A process that is killed while it appends leaves part of a line. `read` takes the lines before
    the first one that is not whole or not valid; `append` writes over what comes after them.
    """

    def __init__(self, path: Path, kind: type[T]) -> None:
        self.path = path
        self._decoder = msgspec.json.Decoder(kind)
        self._ends = [0]  # of each line that counts, behind the beginning

    def read(self) -> list[T]:
        """Return the valid lines from the beginning; none if there is no file.

        Raises:
            ResourceError: the file cannot be read.
        """
        items: list[T] = []
        self.cut(0)
        try:
            if self.path.exists() and not self.path.is_file():
                return items
            with self.path.open("rb") as file:
                # A line that is longer is none of ours, and may never end.
                while (line := file.readline(_LONGEST)).endswith(b"\n"):
                    items.append(self._decoder.decode(line))
                    self._ends.append(self._ends[-1] + len(line))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, FileNotFoundError):
            pass
        except OSError as error:
            raise disk_error(error, self.path, "read") from error
        return items

    def cut(self, count: int) -> None:
        """Let `append` write after the first `count` lines."""
        del self._ends[count + 1 :]

    def append(self, items: Iterable[T]) -> None:
        """Write `items` after what was read and appended so far, and to the disk itself.

        Raises:
            ResourceError: the disk is full, or the file cannot be written.
        """
        lines = [msgspec.json.encode(plain(item)) + b"\n" for item in items]
        try:
            # What a link leads to is not the run's.
            flags = getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | flags)
            with open(descriptor, "r+b") as file:
                file.truncate(self._ends[-1])
                file.seek(self._ends[-1])
                file.write(b"".join(lines))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise disk_error(error, self.path) from error
        for line in lines:
            self._ends.append(self._ends[-1] + len(line))
