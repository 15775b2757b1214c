"""Stretches of lines that an editor can fold away."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import frozen

from lacelang.language.document import Document
from lacelang.syntax import nodes


@frozen
class Fold:
    """Lines from the first to the last, from 1; `kind` is `region`, `comment` or `imports`."""

    first: int
    last: int
    kind: str = "region"


def folds(document: Document) -> tuple[Fold, ...]:
    """Return the folds of a document: long statements, comments and imports in a row."""
    found = {*_statements(document), *_brackets(document), *_comments(document)}
    found |= set(_imports(document))
    return tuple(sorted(found, key=lambda fold: (fold.first, -fold.last, fold.kind)))


def _statements(document: Document) -> Iterator[Fold]:
    pending: list[nodes.Statement] = list(document.examined.module.program.statements)
    while pending:
        node = pending.pop()
        if node.span.end_line > node.span.line:
            yield Fold(node.span.line, node.span.end_line)
        if isinstance(node, nodes.For):
            pending += node.body


def _brackets(document: Document) -> Iterator[Fold]:
    opened: list[int] = []
    for token in document.tokens:
        if token.type in ("LBRACE", "LPAR", "LSQB"):
            opened.append(token.line or 1)
        elif token.type in ("RBRACE", "RPAR", "RSQB") and opened:
            # The bracket that closes stays in sight.
            first, last = opened.pop(), (token.line or 1) - 1
            if last > first:
                yield Fold(first, last)


def _comments(document: Document) -> Iterator[Fold]:
    code = {token.line for token in document.tokens}
    alone = [c.line or 1 for c in document.comments if c.line not in code]
    yield from (Fold(a, b, "comment") for a, b in _runs(alone))


def _imports(document: Document) -> Iterator[Fold]:
    statements = document.examined.module.program.statements
    lines = [node.span.line for node in statements if isinstance(node, nodes.Import)]
    yield from (Fold(a, b, "imports") for a, b in _runs(lines))


def _runs(lines: list[int]) -> Iterator[tuple[int, int]]:
    """Yield the first and the last of lines that follow one another, of two or more."""
    first = last = 0
    for line in [*lines, -1]:
        if line == last + 1 and last:
            last = line
            continue
        if last > first:
            yield first, last
        first = last = line
