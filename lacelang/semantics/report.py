"""The diagnostics that are collected while a program is checked, and hints at names."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from lacelang.errors import Diagnostic, Severity, Span
from lacelang.semantics.codes import is_pedantic, severity_of
from lacelang.semantics.scope import Frame, Module
from lacelang.syntax import nodes
from lacelang.text.names import folded

MAX_REPORTS = 1000
"""More errors than this, or more warnings, help nobody; further ones are dropped."""

_LISTED = 12
_COMPARED = 200


class LostError(Exception):
    """Something cannot be had, and that is reported already (or not worth a report)."""


class Report:
    """All diagnostics of one program, each once."""

    def __init__(self) -> None:
        self._found: dict[Severity, dict[object, Diagnostic]] = {"error": {}, "warning": {}}

    def say(
        self,
        code: str,
        message: str,
        at: nodes.Node | Span,
        where: Module | Frame,
        hint: str | None = None,
    ) -> LostError:
        """Add a diagnostic about the text at `at`.

        Inside an imported definition (a frame with a site) it stands where the program uses it.

        Returns:
            What to raise where nothing can be had for it.
        """
        span = at if isinstance(at, Span) else at.span
        module = where.module if isinstance(where, Frame) else where
        if isinstance(where, Frame) and where.site is not None:
            message = f"in `{where.site.name}` of {module.name}: {message}"
            span, module = where.site.span, where.site.module
        if not module.has_error_in(span):
            severity = severity_of(code)
            self.add(Diagnostic(code, message, span, hint, severity, module.path, module.source))
        return LostError()

    @property
    def full(self) -> bool:
        """Whether further errors are dropped, so that hints for them need not be looked for."""
        return len(self._found["error"]) >= MAX_REPORTS

    def add(self, diagnostic: Diagnostic) -> None:
        """Add a diagnostic unless it has been made before."""
        # Counted apart: a thousand warnings must not hide an error.
        found = self._found[diagnostic.severity]
        if len(found) < MAX_REPORTS:
            key = (diagnostic.code, diagnostic.message, diagnostic.path, diagnostic.span)
            found.setdefault(key, diagnostic)

    def errors(self, path: str | None) -> list[Diagnostic]:
        """Return the errors in order: those of `path` first, then other files'."""
        return _sorted(self._found["error"].values(), path)

    def warnings(self, path: str | None, pedantic: bool) -> list[Diagnostic]:
        """Return the warnings in order, the pedantic ones only if asked for."""
        every = self._found["warning"].values()
        return _sorted((d for d in every if pedantic or not is_pedantic(d.code)), path)


def did_you_mean(name: str, known: Iterable[str], otherwise: str | None = None) -> str | None:
    """Return a hint: the nearest of `known`, else the list of them after `otherwise`."""
    names = list(dict.fromkeys(known))
    close = nearest(name, names)
    if close is not None:
        return f"did you mean `{close}`?"
    if otherwise is None or not names:
        return None
    listed = ", ".join(names[:_LISTED]) + (", …" if len(names) > _LISTED else "")
    return f"{otherwise} {listed}"


def nearest(name: str, names: list[str]) -> str | None:
    """Return the one of `names` that is most like `name`, if one is much like it."""
    from difflib import get_close_matches

    same = [n for n in names if folded(n) == folded(name)]
    if len(names) > _COMPARED:
        # Of many, only a few that begin alike and are as long are compared closely.
        alike = (n for n in names if n[:1] == name[:1] and abs(len(n) - len(name)) <= 2)
        names = list(islice(alike, _COMPARED))
    close = same or get_close_matches(name, names, 1, 0.6)
    return close[0] if close else None


def _sorted(diagnostics: Iterable[Diagnostic], path: str | None) -> list[Diagnostic]:
    return sorted(
        diagnostics,
        key=lambda d: (d.path != path, d.path or "", d.span.line, d.span.column),
    )
