"""Places in a text: offsets, lines and columns as diagnostics have them, and as editors count.

A `Position` counts characters, from 1, in lines that end as lacelang's do (`syntax.lines`). Editors
count UTF-16 units, or others that they have agreed on, from 0, in lines that end with LF, CR or
CRLF alone: the Language Server Protocol knows no other ends.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property
from typing import NamedTuple

from attrs import frozen

from lacelang.errors import Span
from lacelang.syntax.lines import Lines, with_line_feeds

_ENDS = re.compile("\r\n|\n|\r")


@frozen(order=True)
class Position:
    """A place between two characters: a line and a column, from 1."""

    line: int
    column: int


class EditorPosition(NamedTuple):
    """A place as editors count: a line, and a unit of its encoding in it, from 0."""

    line: int
    character: int


class Text:
    """A text, and its places in all three forms. Places beyond its ends are taken for those."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def _lines(self) -> Lines:
        return Lines(with_line_feeds(self.text))

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(found.end() for found in _ENDS.finditer(self.text))]

    def offset(self, position: Position) -> int:
        """Return the offset of a position."""
        line, column = position.line, position.column
        at, _ = self._lines.offsets(Span(max(line, 1), max(column, 1), 1, 1))
        return min(at, len(self.text))

    def position(self, offset: int) -> Position:
        """Return the position of an offset."""
        span = self._lines.span(min(offset, len(self.text)), 0)
        return Position(span.line, span.column)

    def offsets(self, span: Span) -> tuple[int, int]:
        """Return the offsets at which a span begins and ends."""
        start, end = self._lines.offsets(span)
        return min(start, len(self.text)), min(end, len(self.text))

    def span(self, start: int, end: int) -> Span:
        """Return the span between two offsets."""
        return self._lines.span(start, end)

    def in_editor(self, offset: int, encoding: str = "utf-16") -> EditorPosition:
        """Return an offset as editors count, in units of an encoding."""
        offset = min(offset, len(self.text))
        line = bisect_right(self._starts, offset) - 1
        return EditorPosition(line, units(self.text[self._starts[line] : offset], encoding))

    def from_editor(self, line: int, character: int, encoding: str = "utf-16") -> int:
        """Return the offset of a place in an editor; amid a character, that of the character."""
        if line >= len(self._starts):
            return len(self.text)
        start = self._starts[max(line, 0)]
        end = self._starts[line + 1] if line + 1 < len(self._starts) else len(self.text)
        row = self.text[start:end].rstrip("\r\n")
        if row.isascii():
            return start + max(0, min(character, len(row)))
        taken = 0
        for at, each in enumerate(row):
            taken += units(each, encoding)
            if taken > character:
                return start + at
        return start + len(row)


def units(text: str, encoding: str = "utf-16") -> int:
    """Return how many units of `utf-8`, `utf-16` or `utf-32` a text has."""
    if text.isascii() or encoding == "utf-32":
        return len(text)
    if encoding == "utf-8":
        return len(text.encode("utf-8", "surrogatepass"))
    return len(text) + sum(map("\uffff".__lt__, text))
