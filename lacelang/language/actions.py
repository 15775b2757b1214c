"""Changes that do what the hints of diagnostics say."""

from __future__ import annotations

from attrs import frozen

from lacelang.errors import Change, Diagnostic, Span
from lacelang.language.document import Document, diagnostics


@frozen
class Action:
    """A change of a document that somebody may choose: what it does, and why."""

    title: str
    changes: tuple[Change, ...]
    diagnostics: tuple[Diagnostic, ...]


def actions(document: Document, span: Span) -> tuple[Action, ...]:
    """Return what may be done about the diagnostics that touch a stretch of a document."""
    fixable = [one for one in diagnostics(document) if one.fix]
    found = [
        Action(one.hint or one.message, one.fix, (one,))
        for one in fixable
        if _touches(one.span, span)
    ]
    every = fix_all(document)
    if found and every is not None and len(every.diagnostics) > 1:
        found.append(every)
    return tuple(found)


def fix_all(document: Document) -> Action | None:
    """Return the one change that follows all hints at once; of those that overlap, the first."""
    changes: dict[Change, None] = {}
    done: list[Diagnostic] = []
    for one in diagnostics(document):
        fresh = [change for change in one.fix if change not in changes]
        if one.fix and not any(_overlap(c.span, d.span) for c in fresh for d in changes):
            changes.update(dict.fromkeys(fresh))
            done.append(one)
    if not done:
        return None
    return Action("do what all hints say", tuple(changes), tuple(done))


def _touches(one: Span, other: Span) -> bool:
    return _start(one) <= _end(other) and _start(other) <= _end(one)


def _overlap(one: Span, other: Span) -> bool:
    return _start(one) < _end(other) and _start(other) < _end(one)


def _start(span: Span) -> tuple[int, int]:
    return span.line, span.column


def _end(span: Span) -> tuple[int, int]:
    return span.end_line, span.end_column
