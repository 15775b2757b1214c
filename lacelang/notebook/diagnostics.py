"""Diagnostics in colours, as notebooks and terminals of IPython show them."""

from __future__ import annotations

from collections.abc import Iterable

from pygments import highlight
from pygments.formatters import TerminalFormatter

from lacelang.errors import Diagnostic
from lacelang.language.pygments_lexer import LaceLexer
from lacelang.syntax.render import render

_RED, _AMBER, _CYAN, _END = "\x1b[1;31m", "\x1b[1;33m", "\x1b[36m", "\x1b[0m"


def in_colours(diagnostics: Iterable[Diagnostic]) -> str:
    """Return diagnostics as `render_all` does, the source line highlighted."""
    return "\n\n".join(map(_one, diagnostics))


def _one(diagnostic: Diagnostic) -> str:
    colour = _RED if diagnostic.severity == "error" else _AMBER
    lines = render(diagnostic).split("\n")
    found = [f"{colour}{lines[0]}{_END}"]
    for line in lines[1:]:
        gutter, bar, source = line.partition(" | ")
        if not bar:
            found.append(f"{_CYAN}{line}{_END}")
        elif gutter.strip():
            coloured = highlight(source, LaceLexer(stripnl=False), TerminalFormatter())
            found.append(f"{gutter}{bar}{coloured.rstrip(chr(10))}")
        else:
            found.append(f"{gutter}{bar}{colour}{source}{_END}")
    return "\n".join(found)
