"""Diagnostics for people (source line, carets, hint) and for programs (JSON)."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from lacelang.errors import Diagnostic

_WINDOW = 96
"""Columns of a source line that are shown; more is cut around the carets."""

_TAB = "    "


def render(diagnostic: Diagnostic) -> str:
    """Return the diagnostic as a person reads it, without a newline at the end.

    The first line is `path:line:column: severity CODE: message`; then the source line with carets
    under the span; then the hint.
    """
    span = diagnostic.span
    where = f"{shown_path(diagnostic.path)}:{span.line}:{span.column}"
    lines = [f"{where}: {diagnostic.severity} {diagnostic.code}: {diagnostic.message}"]
    window = _window(diagnostic)
    if window is not None:
        number = str(span.line)
        gutter = " " * len(number)
        lines += [f"  {number} | {window[0]}".rstrip(), f"  {gutter} | {window[1]}"]
    if diagnostic.hint:
        lines.append(f"  hint: {diagnostic.hint}")
    return "\n".join(lines)


def render_all(diagnostics: Iterable[Diagnostic]) -> str:
    """Return all diagnostics, a blank line between two of them."""
    return "\n\n".join(render(diagnostic) for diagnostic in diagnostics)


def shown_path(path: str | None) -> str:
    """Return how a path is named to a reader; a program without a file is `<program>`."""
    return "<program>" if path is None else "<stdin>" if path == "-" else path


def as_json(diagnostic: Diagnostic) -> dict[str, str | int | None]:
    """Return the JSON form: lines and columns from 1, `end_column` exclusive."""
    span = diagnostic.span
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity,
        "message": diagnostic.message,
        "hint": diagnostic.hint,
        "path": shown_path(diagnostic.path),
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
    }


def _window(diagnostic: Diagnostic) -> tuple[str, str] | None:
    """Return the source line, cut to the window, and the carets below it."""
    span = diagnostic.span
    line = _line(diagnostic.source, span.line)
    if line is None:
        return None
    start = min(span.column - 1, len(line))
    end = span.end_column - 1 if span.end_line == span.line else len(line)
    end = max(start + 1, min(end, max(len(line), start + 1)))
    before, after = "", ""
    if len(line) > _WINDOW:
        left = max(0, min(start - _WINDOW // 3, len(line) - _WINDOW))
        right = min(len(line), left + _WINDOW)
        before, after = "…" if left else "", "…" if right < len(line) else ""
        line, start, end = line[left:right], start - left, min(end, right) - left
        end = max(end, start + 1)
    shown = [_shown(character) for character in line]
    width = sum(map(_width, shown[:start])) + len(before)
    carets = max(1, sum(map(_width, shown[start:end])))
    return before + "".join(shown) + after, " " * width + "^" * carets


def _line(source: str, number: int) -> str | None:
    """Return the line without copying the others: sources can be long and errors many."""
    start = 0
    for _ in range(number - 1):
        start = source.find("\n", start) + 1
        if not start:
            return None
    if not source:
        return None
    end = source.find("\n", start)
    return source[start : end if end >= 0 else len(source)].rstrip("\r")


def _shown(character: str) -> str:
    if character == "\t":
        return _TAB
    return character if character.isprintable() else "\ufffd"


def _width(text: str) -> int:
    """Return how many columns a terminal takes for `text`."""
    return sum(
        0
        if unicodedata.combining(character)
        else 2
        if unicodedata.east_asian_width(character) in "WF"
        else 1
        for character in text
    )
