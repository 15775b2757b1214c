"""Markdown in which a program's own text is text: it brings in no picture, link or markup."""

from __future__ import annotations

import re


def code(text: str) -> str:
    """Return a text of one line as code."""
    ticks = _longer_than(text, 0)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{pad}{' '.join(text.split())}{pad}{ticks}"


def fenced(text: str, language: str = "text") -> str:
    """Return a text of several lines as a block of code."""
    ticks = _longer_than(text, 2)
    return f"{ticks}{language}\n{text}\n{ticks}"


def _longer_than(text: str, least: int) -> str:
    """Return more backticks than stand together anywhere in a text."""
    runs = (len(run) for run in re.findall("`+", text))
    return "`" * (1 + max(runs, default=0) if least == 0 else 1 + max([least, *runs]))
