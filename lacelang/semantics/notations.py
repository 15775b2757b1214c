"""Notations of other tools that the grammar reads as something else: `any(a, b)`, `age=20s`.

They are looked for only where the checker has found an error, so that a program may define `any`.
"""

from __future__ import annotations

import re

from attrs import evolve

from lacelang.errors import Diagnostic, Span
from lacelang.semantics.scope import Module
from lacelang.syntax.lines import with_line_feeds

_MAY_BE = frozenset(
    {
        "LACE102",
        "LACE103",
        "LACE104",
        "LACE105",
        "LACE106",
        "LACE118",
        "LACE201",
        "LACE202",
        "LACE303",
    }
)
"""What the checker says of a name or a value that it does not understand."""


def with_notations(errors: list[Diagnostic], module: Module) -> list[Diagnostic]:
    """Return the errors; in place of those that a notation has led to, what is said of it."""
    if not any(_concerns(error, module) for error in errors):
        return errors
    from lacelang.syntax.notations.reread import notations_read

    found = [
        notation
        for notation in notations_read(module.source, module.program)
        if not _is_defined(notation.span, module)
        and not any(_meet(notation.span, error.span) for error in errors if _is_of_text(error))
    ]
    result: list[Diagnostic] = []
    for error in errors:
        said = error
        if _concerns(error, module):
            said = next((n for n in found if _covers(n.span, error.span)), error)
        if said is not error:
            said = evolve(said, path=error.path, source=error.source)
        if said not in result:
            result.append(said)
    return result


def _concerns(error: Diagnostic, module: Module) -> bool:
    return error.code in _MAY_BE and error.path == module.path and error.source == module.source


def _is_defined(span: Span, module: Module) -> bool:
    """Whether what stands there is the call of a definition."""
    line = with_line_feeds(module.source).split("\n")[span.line - 1]
    called = re.match(r"(\w+)\(", line[span.column - 1 :])
    return called is not None and (
        module.find(called.group(1)) is not None or module.is_uncertain(called.group(1))
    )


def _is_of_text(error: Diagnostic) -> bool:
    """Whether an error is one of reading; what is wrong there has been said."""
    return error.code < "LACE1"


def _meet(one: Span, other: Span) -> bool:
    return (one.line, one.column) < (other.end_line, other.end_column) and (
        other.line,
        other.column,
    ) < (one.end_line, one.end_column)


def _covers(outer: Span, inner: Span) -> bool:
    return (outer.line, outer.column) <= (inner.line, inner.column) and (
        inner.end_line,
        inner.end_column,
    ) <= (outer.end_line, outer.end_column)
