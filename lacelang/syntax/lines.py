"""What ends a line, LF, CR, CRLF and Unicode's others (UAX 14), and where in a text a place is."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache

from attrs import evolve

from lacelang.errors import Diagnostic, Span

_ENDS = re.compile("\r(?!\n)|[\x0b\x0c\x85\u2028\u2029]")


# The source of many diagnostics is one text.
@lru_cache(maxsize=4)
def with_line_feeds(text: str) -> str:
    """Return `text` with LF for every line end; it has as many characters as before.

    The CR of a CRLF stays, and is a space at the end of its line.
    """
    return _ENDS.sub("\n", text)


@lru_cache(maxsize=4)
def lines_of(text: str) -> list[str]:
    """Return the lines of `text`."""
    return with_line_feeds(text).split("\n")


class Lines:
    """The lines of a text with LF for every line end, to go from spans to offsets and back."""

    def __init__(self, text: str) -> None:
        self._starts = [0, *(found.end() for found in re.finditer("\n", text))]

    def offsets(self, span: Span) -> tuple[int, int]:
        """Return the offsets at which a span begins and ends."""
        return self._offset(span.line, span.column), self._offset(span.end_line, span.end_column)

    def _offset(self, line: int, column: int) -> int:
        return self._starts[min(line, len(self._starts)) - 1] + column - 1

    def span(self, start: int, end: int) -> Span:
        """Return the span between two offsets."""
        return Span(*self._place(start), *self._place(end))

    def _place(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1


def a_line_up(diagnostics: Sequence[Diagnostic], text: str) -> list[Diagnostic]:
    """Return diagnostics of `text` below a line that nobody wrote, as those of `text` alone."""
    moved = []
    for d in diagnostics:
        s = d.span
        span = Span(1, 1, 1, 2) if s.line == 1 else _a_line_up(s)
        fix = tuple(evolve(c, span=_a_line_up(c.span)) for c in d.fix if c.span.line > 1)
        moved.append(evolve(d, span=span, source=text, fix=fix if len(fix) == len(d.fix) else ()))
    return moved


def _a_line_up(s: Span) -> Span:
    return Span(s.line - 1, s.column, s.end_line - 1, s.end_column)


_SKIPPED = re.compile(r"(?:[\s\ufeff]|#[^\n]*(?:\n|\Z))*")


def top_of(text: str) -> Span:
    """Return the place before the first statement of a text, below the comments at its head."""
    text = with_line_feeds(text)
    skipped = _SKIPPED.match(text)
    end = skipped.end() if skipped is not None else 0
    line = text.count("\n", 0, end) + 1
    return Span(line, 1, line, 1)
