"""Files with one JSON object a line, each with a checksum, to which lines are appended."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from lacelang.storage.checks import LENGTH, check_of
from lacelang.storage.files import disk_errors
from lacelang.storage.records import plain

T = TypeVar("T")

_LONGEST_LINE = 16 << 20
_BEFORE, _AFTER = b',"check":"', b'"}'
_TAIL = len(_BEFORE) + LENGTH + len(_AFTER)


class Lines(Generic[T]):
    """A file with one JSON object a line, each an attrs class of one kind.

    A process that is killed while it appends leaves part of a line. `read` takes the lines before
    the first one that is not whole, not valid or not as it was written; `append` writes over what
    comes after them. The last field of a line is its checksum, or with a `key` its seal.

    Attributes:
        intact: whether `read` found nothing but lines as they were written, the last perhaps cut.
    """

    def __init__(self, path: Path, kind: type[T], key: Callable[[], bytes] = lambda: b"") -> None:
        self.path = path
        self.intact = False
        self._decoder = msgspec.json.Decoder(kind)
        self._key = key
        self._ends = [0]  # of each line that counts, behind the beginning

    def read(self) -> list[T]:
        """Return the valid lines from the beginning; none if there is no file."""
        items: list[T] = []
        self.cut(0)
        self.intact = False
        damaged = msgspec.MsgspecError, UnicodeDecodeError, RecursionError
        with disk_errors(self.path, "read"), contextlib.suppress(*damaged):
            if not self.path.is_file():
                self.intact = not os.path.lexists(self.path)
                return items
            with self.path.open("rb") as file:
                # A line that is longer is none of ours, and may never end.
                while (line := file.readline(_LONGEST_LINE)).endswith(b"\n"):
                    body = self._checked(line.rstrip(b"\r\n"))
                    if body is None:
                        return items
                    items.append(self._decoder.decode(body))
                    self._ends.append(self._ends[-1] + len(line))
            self.intact = not line or (line.startswith(b"{") and len(line) < _LONGEST_LINE)
        return items

    def cut(self, count: int) -> None:
        """Let `append` write after the first `count` lines."""
        del self._ends[count + 1 :]

    def append(self, items: Iterable[T], flush: bool = True) -> None:
        """Write `items` after what was read and appended so far; `flush` to the disk itself."""
        lines = [self._line(item) for item in items]
        # What a link leads to is not the run's.
        flags = getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
        with disk_errors(self.path):
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | flags, 0o666)
            with open(descriptor, "r+b") as file:
                file.truncate(self._ends[-1])
                file.seek(self._ends[-1])
                file.write(b"".join(lines))
                if flush:
                    file.flush()
                    os.fsync(file.fileno())
        for line in lines:
            self._ends.append(self._ends[-1] + len(line))

    def _line(self, item: T) -> bytes:
        body = msgspec.json.encode(plain(item))
        check = check_of(body, self._key()).encode()
        return body.removesuffix(b"}") + _BEFORE + check + _AFTER + b"\n"

    def _checked(self, line: bytes) -> bytes | None:
        """Return the object of a line without its checksum, which agrees with it."""
        body = line[:-_TAIL] + b"}"
        check = check_of(body, self._key()).encode()
        return body if line[-_TAIL:] == _BEFORE + check + _AFTER else None
