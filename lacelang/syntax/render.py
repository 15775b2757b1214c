"""Diagnostics for people (source line, carets, hint) and for programs (JSON)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from attrs import asdict

from lacelang.errors import Diagnostic
from lacelang.syntax.lines import lines_of
from lacelang.text.columns import cells_of
from lacelang.text.hidden import escaped, in_line, is_hidden

_WINDOW = 96
"""Columns of a source line that are shown; more is cut around the carets."""

_CHARACTERS = 4 * _WINDOW
"""Characters of it; any number of marks would fit into one column."""

_TAB = "    "


def render(diagnostic: Diagnostic) -> str:
    """Return the diagnostic as a person reads it, without a newline at the end.

    The first line is `path:line:column: severity CODE: message`; then the source line with carets
    under the span; then the hint.
    """
    span = diagnostic.span
    where = f"{shown_path(diagnostic.path)}:{span.line}:{span.column}"
    said = f"{where}: {diagnostic.severity} {diagnostic.code}: {diagnostic.message}"
    lines = [in_line(said)]
    window = _window(diagnostic)
    if window is not None:
        number = str(span.line)
        gutter = " " * len(number)
        lines += [f"  {number} | {window[0]}".rstrip(), f"  {gutter} | {window[1]}"]
    if diagnostic.hint:
        lines.append(in_line(f"  hint: {diagnostic.hint}"))
    return "\n".join(lines)


def render_all(diagnostics: Iterable[Diagnostic]) -> str:
    """Return all diagnostics, a blank line between two of them."""
    return "\n\n".join(render(diagnostic) for diagnostic in diagnostics)


def shown_path(path: str | None) -> str:
    """Return how a path is named to a reader; a program without a file is `<program>`."""
    return "<program>" if path is None else "<stdin>" if path == "-" else encodable(path)


def as_json(diagnostic: Diagnostic) -> dict[str, Any]:
    """Return the JSON form: lines and columns from 1, `end_column` exclusive.

    `fix` is a list of stretches and the `text` to write there, or None.
    """
    changes = [{**asdict(c.span), "text": encodable(c.text)} for c in diagnostic.fix]
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity,
        "message": encodable(diagnostic.message),
        "hint": None if diagnostic.hint is None else encodable(diagnostic.hint),
        "path": shown_path(diagnostic.path),
        **asdict(diagnostic.span),
        "fix": changes or None,
    }


def encodable(text: str) -> str:
    """Return the text with `\\udce9` for halves of characters, which no encoding has.

    A byte of a file's name that is no UTF-8 is such a half.
    """
    return text.encode("utf-8", "backslashreplace").decode()


def _window(diagnostic: Diagnostic) -> tuple[str, str] | None:
    """Return the source line, cut to the window, and the carets below it."""
    span = diagnostic.span
    lines = lines_of(diagnostic.source)
    if not diagnostic.source or span.line > len(lines):
        return None
    line = lines[span.line - 1].rstrip("\r")
    start = min(span.column - 1, len(line))
    end = span.end_column - 1 if span.end_line == span.line else len(line)
    end = max(start + 1, min(end, max(len(line), start + 1)))
    left, right = _cut(line, start)
    before, after = "…" if left else "", "…" if right < len(line) else ""
    shown = [_shown(line, at) for at in range(left, right)]
    end = max(min(end, right), start + 1)
    margin = sum(map(cells_of, shown[: start - left])) + len(before)
    carets = max(1, sum(map(cells_of, shown[start - left : end - left])))
    return before + "".join(shown) + after, " " * margin + "^" * carets


def _cut(line: str, start: int) -> tuple[int, int]:
    """Return what to show of a line around `start`, so that it fills the window and no more."""
    left = right = start
    room = _WINDOW
    begin, end = max(0, start - _CHARACTERS), min(len(line), start + _CHARACTERS)
    while left > begin and (wide := cells_of(_shown(line, left - 1))) <= room - 2 * _WINDOW // 3:
        left, room = left - 1, room - wide
    while right < end and (wide := cells_of(_shown(line, right))) <= room:
        right, room = right + 1, room - wide
    while left > begin and (wide := cells_of(_shown(line, left - 1))) <= room:
        left, room = left - 1, room - wide
    return left, right


def _shown(text: str, at: int) -> str:
    """Return how the character at `at` is printed."""
    if text[at] == "\t":
        return _TAB
    return escaped(text[at]) if is_hidden(text, at) else text[at]
