"""What the editor shows beside the text: what is wrong, what may follow, what a word means."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lacelang.errors import Diagnostic, ProgramError
from lacelang.semantics.check import check
from lacelang.syntax.lines import Lines, with_line_feeds
from lacelang.web.studio.positions import Positions


def problems(text: str, path: Path | None, root: Path) -> list[dict[str, Any]]:
    """Return all that is wrong and odd with a program, places in UTF-16 units."""
    try:
        found = check(text, path, root=root).warnings
    except ProgramError as error:
        found = error.diagnostics
    return [_plain(each, text) for each in found]


def _plain(found: Diagnostic, text: str) -> dict[str, Any]:
    begin, end = Lines(with_line_feeds(text)).offsets(found.span)
    places = Positions(text)
    return {
        "from": places.units(begin),
        "to": places.units(max(begin, end)),
        "severity": found.severity,
        "code": found.code,
        "message": found.message,
        "hint": found.hint,
    }


def completions(text: str, at: int, path: Path | None, root: Path) -> dict[str, Any]:
    """Return what may stand at a place."""
    return {"from": at, "options": []}


def hover(text: str, at: int, path: Path | None, root: Path) -> dict[str, Any]:
    """Return what the word at a place means."""
    return {"text": None}
