"""Changes to a text at the places where its nodes stand."""

from __future__ import annotations

from collections.abc import Iterable

from lacelang.errors import Span
from lacelang.syntax.lines import with_line_feeds

Patch = tuple[int, int, str]
"""From where to where (offsets, the end excluded), and what stands there instead."""


def offsets(text: str, span: Span) -> tuple[int, int]:
    """Return where `span` begins and ends in `text`, counted in characters from 0."""
    starts = [0]
    for line in with_line_feeds(text).split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    begin = starts[span.line - 1] + span.column - 1
    return begin, starts[span.end_line - 1] + span.end_column - 1


def patched(text: str, patches: Iterable[Patch]) -> str:
    """Return `text` with the patches made; they may not overlap."""
    for begin, end, new in sorted(patches, reverse=True):
        text = text[:begin] + new + text[end:]
    return text
