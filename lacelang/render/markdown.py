"""Tables in Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from lacelang.text.hidden import displayed

# What begins a link, an image, emphasis, an entity or HTML; numbers and comparisons are none.
_MARKUP = re.compile(r"[\\*\[\]|]|<(?=[A-Za-z/!?])|(?<!\w)_|_(?!\w)|&(?=#?\w+;)|~(?=\S)")
_ENTITIES = {"<": "&lt;", "&": "&amp;"}


def markdown_text(text: str) -> str:
    """Return text of a program or a file as Markdown that shows it as it is, on one line."""
    shown = displayed(" ".join(text.split()))
    return _MARKUP.sub(lambda found: _ENTITIES.get(found[0], f"\\{found[0]}"), shown)


def markdown_table(
    headings: Sequence[str], rows: Iterable[Sequence[str]], numeric: Sequence[bool]
) -> str:
    """Write a table as Markdown, `numeric` columns to the right."""
    rule = ["--:" if right else "---" for right in numeric]
    cells = (headings, rule, *(map(markdown_text, row) for row in rows))
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)
