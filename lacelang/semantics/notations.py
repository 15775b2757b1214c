"""Notations of other tools that the grammar reads as something else: `any(a, b)`, `age=20s`.

They are looked for only where the checker has found an error, so that a program may define `any`.
"""

from __future__ import annotations

import re

from attrs import evolve

from lacelang.errors import Diagnostic
from lacelang.semantics.context import Module
from lacelang.syntax.lines import Lines, with_line_feeds

_MAY_BE = frozenset(f"LACE{code}" for code in (102, 103, 104, 105, 106, 118, 201, 202, 303))
"""What the checker says of a name or a value that it does not understand."""


def with_notations(errors: list[Diagnostic], module: Module) -> list[Diagnostic]:
    """Return the errors; those that a notation of another tool caused are replaced by one of it."""

    def concerned(error: Diagnostic) -> bool:
        here = (error.path, error.source) == (module.path, module.source)
        return here and error.code in _MAY_BE

    if not any(map(concerned, errors)):
        return errors
    from lacelang.syntax.notations.search import notations_read

    text = with_line_feeds(module.source)
    offsets = Lines(text).offsets
    # Syntax errors have been reported.
    unread = [offsets(error.span) for error in errors if error.code < "LACE1"]
    wrong = sorted({offsets(error.span)[0] for error in errors if concerned(error)})
    read = notations_read(module.source, module.program, wrong)
    places = [(offsets(n.span), n) for n in read]
    places = [
        ((start, end), notation)
        for (start, end), notation in places
        if not _is_defined(text, start, module)
        and not any(start < to and at < end for at, to in unread)
    ]

    def replaced(error: Diagnostic) -> Diagnostic:
        at, to = offsets(error.span)
        inside = (n for (start, end), n in places if start <= at and to <= end)
        notation = next(inside, None) if concerned(error) else None
        return evolve(notation, path=error.path, source=error.source) if notation else error

    return list(dict.fromkeys(map(replaced, errors)))


def _is_defined(text: str, start: int, module: Module) -> bool:
    """Whether the text there calls a definition."""
    called = re.compile(r"(\w+)\(").match(text, start)
    return called is not None and (
        module.find(called.group(1)) is not None or module.is_uncertain(called.group(1))
    )
