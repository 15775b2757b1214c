"""Tables in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def markdown_table(
    headings: Sequence[str], rows: Iterable[Sequence[str]], numeric: Sequence[bool]
) -> str:
    """Write a table as Markdown, `numeric` columns to the right."""
    rule = ["--:" if right else "---" for right in numeric]
    cells = (headings, rule, *([cell.replace("|", "\\|") for cell in row] for row in rows))
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)
