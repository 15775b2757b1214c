"""A document in the one layout, as the change of those lines that differ."""

from __future__ import annotations

from itertools import takewhile

from lacelang.errors import Change, ProgramError
from lacelang.language.document import Document
from lacelang.syntax.format import format_source


def formatted(document: Document) -> Change | None:
    """Return the change that lays a document out; None if it is laid out, or cannot be read."""
    try:
        text = format_source(document.text)
    except ProgramError:
        return None
    old, new = document.text, text
    if old == new:
        return None
    before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
    same = list(takewhile(lambda pair: pair[0] == pair[1], zip(before, after, strict=False)))
    start = sum(len(line) for line, _ in same)
    ends = zip(reversed(before[len(same) :]), reversed(after[len(same) :]), strict=False)
    tail = sum(len(line) for line, _ in takewhile(lambda pair: pair[0] == pair[1], ends))
    return Change(document.places.span(start, len(old) - tail), new[start : len(new) - tail])
